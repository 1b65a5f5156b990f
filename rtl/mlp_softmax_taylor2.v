// SPDX-License-Identifier: MIT
// mlp_softmax_taylor2 - second-order Taylor score of each logit, exact
//
//     score = (q + 2^FRAC)^2 + 4^FRAC = 2^(2*FRAC+1) * (1 + x + x^2/2)     with x = q / 2^FRAC
//
// Golden model   model/reference.py: taylor2
// Stream         in: a vector a beat; out: N/LANES beats of LANES scores, last on the final beat
// Latency        4 cycles to the first beat, a beat per cycle, vectors back to back

`default_nettype none

module mlp_softmax_taylor2 #(
    parameter N       = 3,              // classes, 2 .. 64
    parameter LANES   = 1,              // classes per cycle, divides N
    parameter X_W     = 8,              // signed logit width, 2 .. 16
    parameter FRAC    = 4,              // fraction bits of a logit, 0 .. 16
    parameter SCORE_W = 15              // unsigned score width: holds the largest logit's
) (
    input  wire                     clk,
    input  wire                     rst,    // synchronous, active high

    input  wire                     in_valid,
    output wire                     in_ready,
    input  wire [N*X_W-1:0]         in_x,

    output wire                     out_valid,
    input  wire                     out_ready,
    output wire                     out_last,
    output reg  [LANES*SCORE_W-1:0] out_scores
);

    localparam SUM_W = (X_W > FRAC + 2 ? X_W : FRAC + 2) + 1;   // signed q + 2^FRAC

    localparam [SUM_W-1:0]   ONE  = {{(SUM_W-1){1'b0}}, 1'b1} << FRAC;
    localparam [SCORE_W-1:0] HALF = {{(SCORE_W-1){1'b0}}, 1'b1} << (2*FRAC);

    wire                 beat_valid;
    wire                 beat_last;
    wire [LANES*X_W-1:0] logits;
    wire                 tag_unused;

    wire move = !out_valid || out_ready;

    mlp_stream_unpack #(.N(N), .LANES(LANES), .W(X_W), .TAG_W(1)) u_unpack (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready), .in_x(in_x), .in_tag(1'b0),
        .out_valid(beat_valid), .out_ready(move), .out_last(beat_last), .out_lanes(logits),
        .out_tag(tag_unused)
    );

    mlp_delay #(.W(1), .CYCLES(3)) u_valid (
        .clk(clk), .rst(rst), .en(move), .in_data(beat_valid), .out_data(out_valid)
    );

    mlp_delay #(.W(1), .CYCLES(3)) u_last (
        .clk(clk), .rst(1'b0), .en(move), .in_data(beat_last), .out_data(out_last)
    );

    genvar k;
    generate
        for (k = 0; k < LANES; k = k + 1) begin : g_lane
            wire [X_W-1:0] logit = logits[k*X_W +: X_W];

            wire [SUM_W-1:0]   sum = {{(SUM_W-X_W){logit[X_W-1]}}, logit} + ONE;
            reg  [SUM_W-2:0]   magnitude;       // its square is smaller than a signed one
            reg  [2*SUM_W-3:0] square;

            always @(posedge clk) begin
                if (move) begin
                    magnitude <= sum[SUM_W-1] ? -sum[SUM_W-2:0] : sum[SUM_W-2:0];
                    square    <= magnitude * magnitude;
                    out_scores[k*SCORE_W +: SCORE_W] <= square[SCORE_W-1:0] + HALF;
                end
            end

            // SCORE_W holds the sum, so it holds the square.
            wire unused = &{1'b0, square};
        end
    endgenerate

    localparam [63:0] LARGEST_ROOT = (64'd1 << (X_W - 1)) - 64'd1 + (64'd1 << FRAC);
    localparam [63:0] LARGEST      = LARGEST_ROOT * LARGEST_ROOT + (64'd1 << (2*FRAC));

    initial begin
        if (X_W < 2 || X_W > 16 || FRAC < 0 || FRAC > 16 || (LARGEST >> SCORE_W) != 64'd0) begin
            $display("%m: X_W=%0d FRAC=%0d SCORE_W=%0d: need X_W in 2 .. 16, FRAC in 0 .. 16, SCORE_W for a score of %0d",
                     X_W, FRAC, SCORE_W, LARGEST);
            $finish;
        end
    end

endmodule

`default_nettype wire
