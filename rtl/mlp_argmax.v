// SPDX-License-Identifier: MIT
// mlp_argmax - gathers a vector's values and the index of the largest
//
//     x = x                              class = the lowest k with x[k] == max(x)
//
// Golden model   model/reference.py: winner
// Stream         in and out: a vector a beat
// Throughput     N/LANES cycles per vector, back to back
// Latency        N/LANES + ceil(log2(LANES)) + 1 cycles

`default_nettype none

module mlp_argmax #(
    parameter N     = 3,                // values, 2 .. 4096
    parameter LANES = 1,                // values per cycle, divides N
    parameter X_W   = 8                 // signed width, 2 .. 16
) (
    input  wire                                    clk,
    input  wire                                    rst,          // synchronous, active high

    input  wire                                    in_valid,
    output wire                                    in_ready,
    input  wire [N*X_W-1:0]                        in_x,

    output wire                                    out_valid,
    input  wire                                    out_ready,
    output wire [N*X_W-1:0]                        out_x,
    output reg  [(N > 1 ? $clog2(N) : 1)-1:0]      out_class
);

    localparam LEVELS  = $clog2(LANES);
    localparam CLASS_W = N > 1 ? $clog2(N) : 1;

    wire move;                          // of everything, as the gathered vector lets it

    wire                 lanes_valid;
    wire                 lanes_last;
    wire [LANES*X_W-1:0] lanes;
    wire                 tag_unused;

    mlp_stream_unpack #(.N(N), .LANES(LANES), .W(X_W), .TAG_W(1)) u_unpack (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready), .in_x(in_x), .in_tag(1'b0),
        .out_valid(lanes_valid), .out_ready(move), .out_last(lanes_last), .out_lanes(lanes),
        .out_tag(tag_unused)
    );

    // The tree compares unsigned: a flipped sign bit shifts q_min .. q_max to 0 .. 2^X_W - 1.
    wire [LANES*X_W-1:0] shifted;
    wire [X_W-1:0]       largest;
    wire [CLASS_W-1:0]   index;
    wire                 beat_valid;
    wire                 beat_last;
    wire [LANES*X_W-1:0] beat;

    genvar k;
    generate
        for (k = 0; k < LANES; k = k + 1) begin : g_lane
            assign shifted[k*X_W +: X_W] = {!lanes[k*X_W+X_W-1], lanes[k*X_W +: X_W-1]};
        end
    endgenerate

    mlp_argmax_tree #(.N(LANES), .W(X_W), .INDEX_W(CLASS_W)) u_max (
        .clk(clk), .en(move), .in_lanes(shifted), .out_max(largest), .out_index(index)
    );

    mlp_delay #(.W(1), .CYCLES(LEVELS)) u_valid (
        .clk(clk), .rst(rst), .en(move), .in_data(lanes_valid), .out_data(beat_valid)
    );

    mlp_delay #(.W(1 + LANES*X_W), .CYCLES(LEVELS)) u_lanes (
        .clk(clk), .rst(1'b0), .en(move),
        .in_data({lanes_last, lanes}), .out_data({beat_last, beat})
    );

    // The beats of one vector: `base` is the index of a beat's first lane.
    reg [CLASS_W-1:0] base;
    reg [X_W-1:0]     best;

    wire first = base == {CLASS_W{1'b0}};
    wire take  = move && beat_valid;

    always @(posedge clk) begin
        if (rst)
            base <= {CLASS_W{1'b0}};
        else if (take)
            base <= beat_last ? {CLASS_W{1'b0}} : base + LANES[CLASS_W-1:0];
    end

    always @(posedge clk) begin
        if (take && (first || largest > best)) begin
            best      <= largest;
            out_class <= base + index;
        end
    end

    mlp_stream_pack #(.N(N), .LANES(LANES), .W(X_W)) u_gather (
        .clk(clk), .rst(rst),
        .in_valid(beat_valid), .in_ready(move), .in_last(beat_last), .in_lanes(beat),
        .out_valid(out_valid), .out_ready(out_ready), .out_x(out_x)
    );

    initial begin
        if (N < 2 || N > 4096) begin
            $display("%m: N=%0d: need 2 .. 4096", N);
            $finish;
        end
    end

endmodule

`default_nettype wire
