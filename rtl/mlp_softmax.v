// SPDX-License-Identifier: MIT
// mlp_softmax - logits to probabilities: score each, then normalize to bytes that sum to 255
//
//     p = normalize(score(logits))
//
// Golden model   model/reference.py: softmax
// Stream         in and out: a vector a beat
// Throughput     N/LANES cycles per vector, back to back
// Latency        2*(N/LANES) + 2*ceil(log2(LANES)) + 1 cycles, and the score's and the divider's:
//                4 with taylor2, N/LANES + ceil(log2(LANES)) + 4 with exp; 5 with lut,
//                10 with divider
//
// Wiring only. The register cuts the chain of ready signals.

`default_nettype none

module mlp_softmax #(
    parameter N          = 3,           // classes, 2 .. 64
    parameter LANES      = 1,           // classes per cycle, divides N
    parameter X_W        = 8,           // signed logit width, 2 .. 16
    parameter FRAC       = 4,           // fraction bits of a logit, 0 .. 16; for taylor2
    parameter SCORE      = "taylor2",   // "taylor2" or "exp"
    parameter DIVIDER    = "reciprocal",  // "reciprocal" or "restoring"
    parameter SCORE_W    = 15,          // unsigned score width
    parameter TOTAL_W    = 17,          // unsigned width of the scores' sum
    parameter EXP        = "",          // ROM image of the exponential's table, for exp
    parameter RECIPROCAL = ""           // ROM image of the reciprocals, for the divider of that name
) (
    input  wire                 clk,
    input  wire                 rst,    // synchronous, active high

    input  wire                 in_valid,
    output wire                 in_ready,
    input  wire [N*X_W-1:0]     in_x,

    output wire                 out_valid,
    input  wire                 out_ready,
    output wire [N*8-1:0]       out_p,
    output wire [$clog2(N)-1:0] out_class
);

    // A string is as wide as its characters: names are compared in 64 bits.
    localparam        PADDED      = {64'd0, SCORE};
    localparam [63:0] SCORE_NAME = PADDED[63:0];

    wire                     score_valid;
    wire                     score_ready;
    wire                     score_last;
    wire [LANES*SCORE_W-1:0] scores;

    generate
        if (SCORE_NAME == "exp") begin : g_exp
            mlp_softmax_exp #(
                .N(N), .LANES(LANES), .X_W(X_W), .SCORE_W(SCORE_W), .EXP(EXP)
            ) u_score (
                .clk(clk), .rst(rst),
                .in_valid(in_valid), .in_ready(in_ready), .in_x(in_x),
                .out_valid(score_valid), .out_ready(score_ready), .out_last(score_last),
                .out_scores(scores)
            );
        end else begin : g_taylor2
            mlp_softmax_taylor2 #(
                .N(N), .LANES(LANES), .X_W(X_W), .FRAC(FRAC), .SCORE_W(SCORE_W)
            ) u_score (
                .clk(clk), .rst(rst),
                .in_valid(in_valid), .in_ready(in_ready), .in_x(in_x),
                .out_valid(score_valid), .out_ready(score_ready), .out_last(score_last),
                .out_scores(scores)
            );
        end
    endgenerate

    wire                     beat_valid;
    wire                     beat_ready;
    wire                     beat_last;
    wire [LANES*SCORE_W-1:0] beat;

    mlp_skid_buffer #(.W(LANES*SCORE_W)) u_skid_buffer (
        .clk(clk), .rst(rst),
        .in_valid(score_valid), .in_ready(score_ready), .in_last(score_last), .in_data(scores),
        .out_valid(beat_valid), .out_ready(beat_ready), .out_last(beat_last), .out_data(beat)
    );

    mlp_softmax_normalize #(
        .N(N), .LANES(LANES), .SCORE_W(SCORE_W), .TOTAL_W(TOTAL_W),
        .DIVIDER(DIVIDER), .RECIPROCAL(RECIPROCAL)
    ) u_normalize (
        .clk(clk), .rst(rst),
        .in_valid(beat_valid), .in_ready(beat_ready), .in_last(beat_last), .in_scores(beat),
        .out_valid(out_valid), .out_ready(out_ready), .out_p(out_p), .out_class(out_class)
    );

    initial begin
        if (SCORE_NAME != "taylor2" && SCORE_NAME != "exp") begin
            $display("%m: SCORE is %s: need taylor2 or exp", SCORE);
            $finish;
        end
    end

endmodule

`default_nettype wire
