// SPDX-License-Identifier: MIT
// mlp_softmax_normalize - scores to probabilities: bytes that sum to 255
//
//     p[k] = divide(score[k], total) for each loser, the winner gets the rest
//
// Golden model   model/reference.py: winner, quotients or exact_quotients, remainder
// Stream         in: N/LANES beats of LANES scores, last on the final one; out: a vector a beat
// Latency        N/LANES + 2*ceil(log2(LANES)) + 2 cycles from the last beat, and the divider's:
//                5 with reciprocal, 10 with restoring; a beat per cycle
//
// Wiring only. The register cuts the chain of ready signals, which is longest with reciprocal.

`default_nettype none

module mlp_softmax_normalize #(
    parameter N          = 3,           // classes, 2 .. 64
    parameter LANES      = 1,           // classes per cycle, divides N
    parameter SCORE_W    = 15,          // unsigned score width
    parameter TOTAL_W    = 17,          // unsigned width of their sum
    parameter DIVIDER    = "reciprocal",  // "reciprocal" or "restoring"
    parameter RECIPROCAL = ""           // ROM image of the reciprocals, for the divider of that name
) (
    input  wire                     clk,
    input  wire                     rst,    // synchronous, active high

    input  wire                     in_valid,
    output wire                     in_ready,
    input  wire                     in_last,
    input  wire [LANES*SCORE_W-1:0] in_scores,

    output wire                     out_valid,
    input  wire                     out_ready,
    output wire [N*8-1:0]           out_p,
    output wire [$clog2(N)-1:0]     out_class
);

    // A string is as wide as its characters: names are compared in 80 bits.
    localparam        PADDED        = {80'd0, DIVIDER};
    localparam [79:0] DIVIDER_NAME = PADDED[79:0];

    wire                 total_valid;
    wire                 total_ready;
    wire [N*SCORE_W-1:0] scores;
    wire [TOTAL_W-1:0]   total;
    wire [$clog2(N)-1:0] total_class;

    mlp_softmax_sum #(.N(N), .LANES(LANES), .SCORE_W(SCORE_W), .TOTAL_W(TOTAL_W)) u_sum (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready), .in_last(in_last), .in_scores(in_scores),
        .out_valid(total_valid), .out_ready(total_ready),
        .out_scores(scores), .out_total(total), .out_class(total_class)
    );

    wire                 quotient_valid;
    wire                 quotient_ready;
    wire                 quotient_last;
    wire [LANES*8-1:0]   quotients;
    wire [$clog2(N)-1:0] quotient_class;

    generate
        if (DIVIDER_NAME == "restoring") begin : g_restoring
            mlp_softmax_restoring #(
                .N(N), .LANES(LANES), .SCORE_W(SCORE_W), .TOTAL_W(TOTAL_W)
            ) u_divide (
                .clk(clk), .rst(rst),
                .in_valid(total_valid), .in_ready(total_ready),
                .in_scores(scores), .in_total(total), .in_class(total_class),
                .out_valid(quotient_valid), .out_ready(quotient_ready), .out_last(quotient_last),
                .out_quotients(quotients), .out_class(quotient_class)
            );
        end else begin : g_reciprocal
            wire                 rounded_valid;
            wire                 rounded_ready;
            wire                 rounded_last;
            wire [LANES*8-1:0]   rounded;
            wire [$clog2(N)-1:0] rounded_class;

            mlp_softmax_reciprocal #(
                .N(N), .LANES(LANES), .SCORE_W(SCORE_W), .TOTAL_W(TOTAL_W), .RECIPROCAL(RECIPROCAL)
            ) u_divide (
                .clk(clk), .rst(rst),
                .in_valid(total_valid), .in_ready(total_ready),
                .in_scores(scores), .in_total(total), .in_class(total_class),
                .out_valid(rounded_valid), .out_ready(rounded_ready), .out_last(rounded_last),
                .out_quotients(rounded), .out_class(rounded_class)
            );

            mlp_skid_buffer #(.W(LANES*8 + $clog2(N))) u_skid_buffer (
                .clk(clk), .rst(rst),
                .in_valid(rounded_valid), .in_ready(rounded_ready), .in_last(rounded_last),
                .in_data({rounded, rounded_class}),
                .out_valid(quotient_valid), .out_ready(quotient_ready), .out_last(quotient_last),
                .out_data({quotients, quotient_class})
            );
        end
    endgenerate

    mlp_softmax_remainder #(.N(N), .LANES(LANES)) u_remainder (
        .clk(clk), .rst(rst),
        .in_valid(quotient_valid), .in_ready(quotient_ready), .in_last(quotient_last),
        .in_quotients(quotients), .in_class(quotient_class),
        .out_valid(out_valid), .out_ready(out_ready), .out_p(out_p), .out_class(out_class)
    );

    initial begin
        if (DIVIDER_NAME != "reciprocal" && DIVIDER_NAME != "restoring") begin
            $display("%m: DIVIDER is %s: need reciprocal or restoring", DIVIDER);
            $finish;
        end
    end

endmodule

`default_nettype wire
