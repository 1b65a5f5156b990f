// mlp_softmax - logits to probabilities: score each, then normalize to bytes that sum to 255
//
//     p = normalize(taylor2(logits))
//
// Golden model   model/reference.py: taylor2, winner, quotients, settle
// Stream         in and out: a vector a beat
// Throughput     N/LANES cycles per vector, back to back
// Latency        2*(N/LANES) + 2*ceil(log2(LANES)) + 9 cycles
//
// Wiring only. A second score would stand beside mlp_softmax_taylor2, with the same ports.

`default_nettype none

module mlp_softmax #(
    parameter N          = 3,           // classes, 2 .. 64
    parameter LANES      = 1,           // classes per cycle, divides N
    parameter X_W        = 8,           // signed logit width, 2 .. 16
    parameter FRAC       = 4,           // fraction bits of a logit, 0 .. 16
    parameter SCORE_W    = 15,          // unsigned score width
    parameter TOTAL_W    = 17,          // unsigned width of the scores' sum
    parameter RECIPROCAL = ""           // ROM image of the reciprocal table
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

    wire                     score_valid;
    wire                     score_ready;
    wire                     score_last;
    wire [LANES*SCORE_W-1:0] scores;

    mlp_softmax_taylor2 #(
        .N(N), .LANES(LANES), .X_W(X_W), .FRAC(FRAC), .SCORE_W(SCORE_W)
    ) u_score (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready), .in_x(in_x),
        .out_valid(score_valid), .out_ready(score_ready), .out_last(score_last),
        .out_scores(scores)
    );

    mlp_softmax_normalize #(
        .N(N), .LANES(LANES), .SCORE_W(SCORE_W), .TOTAL_W(TOTAL_W), .RECIPROCAL(RECIPROCAL)
    ) u_normalize (
        .clk(clk), .rst(rst),
        .in_valid(score_valid), .in_ready(score_ready), .in_last(score_last), .in_scores(scores),
        .out_valid(out_valid), .out_ready(out_ready), .out_p(out_p), .out_class(out_class)
    );

endmodule

`default_nettype wire
