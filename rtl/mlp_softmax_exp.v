// SPDX-License-Identifier: MIT
// mlp_softmax_exp - exponential score of each logit, by a table of all distances to the largest
//
//     score = E[max(q) - q]              E[d] = ceil((2^SCORE_W - 1) * exp(-d / 2^frac))
//
// Golden model   model/reference.py: exp; model/tables.py: exponential
// Stream         in: a vector a beat; out: N/LANES beats of LANES scores, last on the final beat
// Latency        N/LANES + ceil(log2(LANES)) + 4 cycles to the first beat, a beat per cycle,
//                vectors back to back
//
//     after the largest is known:   serve    subtract    read table, one port a lane

`default_nettype none

module mlp_softmax_exp #(
    parameter N       = 3,              // classes, 2 .. 64
    parameter LANES   = 1,              // classes per cycle, divides N
    parameter X_W     = 8,              // signed logit width, 2 .. 16
    parameter SCORE_W = 16,             // unsigned score width
    parameter EXP     = ""              // image: 2^X_W words of SCORE_W bits
) (
    input  wire                     clk,
    input  wire                     rst,    // synchronous, active high

    input  wire                     in_valid,
    output wire                     in_ready,
    input  wire [N*X_W-1:0]         in_x,

    output wire                     out_valid,
    input  wire                     out_ready,
    output wire                     out_last,
    output wire [LANES*SCORE_W-1:0] out_scores
);

    wire             x_valid;
    wire             x_ready;
    wire [N*X_W-1:0] x;
    wire [X_W-1:0]   x_max;

    mlp_softmax_max #(.N(N), .LANES(LANES), .X_W(X_W)) u_max (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready), .in_x(in_x),
        .out_valid(x_valid), .out_ready(x_ready), .out_x(x), .out_max(x_max)
    );

    wire                 beat_valid;
    wire                 beat_last;
    wire [LANES*X_W-1:0] logits;
    wire [X_W-1:0]       max;

    wire move = !out_valid || out_ready;

    mlp_stream_unpack #(.N(N), .LANES(LANES), .W(X_W), .TAG_W(X_W)) u_unpack (
        .clk(clk), .rst(rst),
        .in_valid(x_valid), .in_ready(x_ready), .in_x(x), .in_tag(x_max),
        .out_valid(beat_valid), .out_ready(move), .out_last(beat_last), .out_lanes(logits),
        .out_tag(max)
    );

    mlp_delay #(.W(1), .CYCLES(2)) u_valid (
        .clk(clk), .rst(rst), .en(move), .in_data(beat_valid), .out_data(out_valid)
    );

    mlp_delay #(.W(1), .CYCLES(2)) u_last (
        .clk(clk), .rst(1'b0), .en(move), .in_data(beat_last), .out_data(out_last)
    );

    genvar k;
    generate
        for (k = 0; k < LANES; k = k + 1) begin : g_lane
            reg [X_W-1:0] distance;     // 0 .. 2^X_W - 1: the difference of signed is unsigned here

            always @(posedge clk) begin
                if (move)
                    distance <= max - logits[k*X_W +: X_W];
            end

            mlp_rom #(.WIDTH(SCORE_W), .DEPTH(1 << X_W), .FILE(EXP)) u_table (
                .clk(clk), .en(move), .addr(distance), .data(out_scores[k*SCORE_W +: SCORE_W])
            );
        end
    endgenerate

    initial begin
        if (X_W < 2 || X_W > 16) begin
            $display("%m: X_W=%0d: need 2 .. 16", X_W);
            $finish;
        end
    end

endmodule

`default_nettype wire
