// SPDX-License-Identifier: MIT
// mlp_softmax_remainder - losers keep their quotients, the winner gets 255 minus all of them
//
//     p[k] = quotient[k] for each loser      p[class] = 255 - sum of the losers
//
// Golden model   model/reference.py: remainder
// Stream         in: N/LANES beats of LANES quotients, last on the final one; out: a vector a beat
// Latency        ceil(log2(LANES)) + 2 cycles from the last beat, a beat per cycle
//
// The losers' quotients are rounded down, so their sum stays within 255 and the result sums to 255.

`default_nettype none

module mlp_softmax_remainder #(
    parameter N     = 3,                // classes, 2 .. 64
    parameter LANES = 1                 // classes per cycle, divides N
) (
    input  wire                 clk,
    input  wire                 rst,    // synchronous, active high

    input  wire                 in_valid,
    output wire                 in_ready,
    input  wire                 in_last,
    input  wire [LANES*8-1:0]   in_quotients,
    input  wire [$clog2(N)-1:0] in_class,

    output reg                  out_valid,
    input  wire                 out_ready,
    output reg  [N*8-1:0]       out_p,
    output reg  [$clog2(N)-1:0] out_class
);

    localparam CLASS_W = $clog2(N);
    localparam LEVELS  = $clog2(LANES);

    wire move = !out_valid || out_ready;

    assign in_ready = move;

    // The lanes of one beat without the winner; `base` is the class of the first lane.
    reg [CLASS_W-1:0] base;

    wire first = base == {CLASS_W{1'b0}};

    always @(posedge clk) begin
        if (rst)
            base <= {CLASS_W{1'b0}};
        else if (move && in_valid)
            base <= in_last ? {CLASS_W{1'b0}} : base + LANES[CLASS_W-1:0];
    end

    wire [LANES*8-1:0] losers;
    wire [7:0]         sum;
    wire               beat_valid;
    wire               beat_first;
    wire               beat_last;
    wire [LANES*8-1:0] beat;
    wire [CLASS_W-1:0] winner;

    genvar k;
    generate
        for (k = 0; k < LANES; k = k + 1) begin : g_lane
            wire wins = in_class == base + k[CLASS_W-1:0];

            assign losers[k*8 +: 8] = in_quotients[k*8 +: 8] & {8{!wins}};
        end
    endgenerate

    mlp_adder_tree #(.N(LANES), .W(8)) u_sum (
        .clk(clk), .en(move), .in_lanes(losers), .out_sum(sum)
    );

    mlp_delay #(.W(1), .CYCLES(LEVELS)) u_valid (
        .clk(clk), .rst(rst), .en(move), .in_data(in_valid), .out_data(beat_valid)
    );

    mlp_delay #(.W(2 + LANES*8 + CLASS_W), .CYCLES(LEVELS)) u_losers (
        .clk(clk), .rst(1'b0), .en(move),
        .in_data({first, in_last, losers, in_class}),
        .out_data({beat_first, beat_last, beat, winner})
    );

    // The beats of one vector.
    reg               gathered_valid;
    reg [N*8-1:0]     gathered;
    reg [7:0]         remainder;
    reg [CLASS_W-1:0] gathered_class;

    wire take = move && beat_valid;

    always @(posedge clk) begin
        if (take) begin
            remainder      <= (beat_first ? 8'd255 : remainder) - sum;
            gathered_class <= winner;
        end
    end

    generate
        if (LANES == N) begin : g_whole
            always @(posedge clk) begin
                if (take)
                    gathered <= beat;
            end
        end else begin : g_shift
            always @(posedge clk) begin
                if (take)
                    gathered <= {beat, gathered[N*8-1:LANES*8]};
            end
        end
    endgenerate

    always @(posedge clk) begin
        if (rst) begin
            gathered_valid <= 1'b0;
            out_valid      <= 1'b0;
        end else if (move) begin
            gathered_valid <= beat_valid && beat_last;
            out_valid      <= gathered_valid;
        end
    end

    always @(posedge clk) begin
        if (move)
            out_class <= gathered_class;
    end

    generate
        for (k = 0; k < N; k = k + 1) begin : g_class
            wire wins = gathered_class == k[CLASS_W-1:0];

            always @(posedge clk) begin
                if (move)
                    out_p[k*8 +: 8] <= wins ? remainder : gathered[k*8 +: 8];
            end
        end
    endgenerate

endmodule

`default_nettype wire
