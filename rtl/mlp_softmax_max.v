// SPDX-License-Identifier: MIT
// mlp_softmax_max - gathers a vector's logits and the largest of them
//
//     max = max(x[0..N-1])               signed; x itself passes unchanged
//
// Golden model   numpy.max
// Stream         in and out: a vector a beat
// Throughput     N/LANES cycles per vector, back to back
// Latency        N/LANES + ceil(log2(LANES)) + 1 cycles

`default_nettype none

module mlp_softmax_max #(
    parameter N     = 3,                // classes, 2 .. 64
    parameter LANES = 1,                // classes per cycle, divides N
    parameter X_W   = 8                 // signed logit width, 2 .. 16
) (
    input  wire             clk,
    input  wire             rst,        // synchronous, active high

    input  wire             in_valid,
    output wire             in_ready,
    input  wire [N*X_W-1:0] in_x,

    output wire             out_valid,
    input  wire             out_ready,
    output wire [N*X_W-1:0] out_x,
    output wire [X_W-1:0]   out_max
);

    localparam LEVELS  = $clog2(LANES);
    localparam INDEX_W = LEVELS > 0 ? LEVELS : 1;

    wire move;                          // of everything, as the gathered vector lets it

    // The lanes of one beat: their largest, while the logits wait beside.
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
    wire [INDEX_W-1:0]   index_unused;
    wire                 beat_valid;
    wire                 beat_last;
    wire [LANES*X_W-1:0] beat;

    genvar k;
    generate
        for (k = 0; k < LANES; k = k + 1) begin : g_lane
            assign shifted[k*X_W +: X_W] = {!lanes[k*X_W+X_W-1], lanes[k*X_W +: X_W-1]};
        end
    endgenerate

    mlp_argmax_tree #(.N(LANES), .W(X_W), .INDEX_W(INDEX_W)) u_max (
        .clk(clk), .en(move), .in_lanes(shifted), .out_max(largest), .out_index(index_unused)
    );

    mlp_delay #(.W(1), .CYCLES(LEVELS)) u_valid (
        .clk(clk), .rst(rst), .en(move), .in_data(lanes_valid), .out_data(beat_valid)
    );

    mlp_delay #(.W(1 + LANES*X_W), .CYCLES(LEVELS)) u_lanes (
        .clk(clk), .rst(1'b0), .en(move),
        .in_data({lanes_last, lanes}), .out_data({beat_last, beat})
    );

    // The beats of one vector.
    reg           first;
    reg [X_W-1:0] best;

    wire take = move && beat_valid;

    assign out_max = {!best[X_W-1], best[X_W-2:0]};

    always @(posedge clk) begin
        if (rst)
            first <= 1'b1;
        else if (take)
            first <= beat_last;
    end

    always @(posedge clk) begin
        if (take && (first || largest > best))
            best <= largest;
    end

    mlp_stream_pack #(.N(N), .LANES(LANES), .W(X_W)) u_gather (
        .clk(clk), .rst(rst),
        .in_valid(beat_valid), .in_ready(move), .in_last(beat_last), .in_lanes(beat),
        .out_valid(out_valid), .out_ready(out_ready), .out_x(out_x)
    );

endmodule

`default_nettype wire
