// SPDX-License-Identifier: MIT
// softmax_sum_properties - mlp_softmax_sum keeps the contract of streams
//
//     the scores, their sum, the first of the largest

`default_nettype none

module softmax_sum_properties #(
    parameter N        = 3,
    parameter LANES    = 1,
    parameter SCORE_W  = 2,
    parameter TOTAL_W  = 4,
    parameter CAPACITY = 2,
    parameter PATIENCE = 2
) (
    input wire                     clk,
    input wire                     rst,
    input wire                     in_valid,
    input wire                     in_last,
    input wire [LANES*SCORE_W-1:0] in_scores,
    input wire                     out_ready
);

    wire                     in_ready;
    wire                     out_valid;
    wire [$clog2(N)-1:0]     out_class;
    wire [TOTAL_W-1:0]       out_total;
    wire [N*SCORE_W-1:0]     out_scores;

    mlp_softmax_sum #(.N(N), .LANES(LANES), .SCORE_W(SCORE_W), .TOTAL_W(TOTAL_W)) u_dut (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready), .in_last(in_last), .in_scores(in_scores),
        .out_valid(out_valid), .out_ready(out_ready), .out_class(out_class), .out_total(out_total),
        .out_scores(out_scores)
    );

    localparam BEATS   = N / LANES;
    localparam CLASS_W = $clog2(N);

    // Users end each vector where it ends.
    reg [7:0]           taken;
    reg [N*SCORE_W-1:0] so_far;

    wire                 take   = in_valid && in_ready;
    wire [N*SCORE_W-1:0] vector = {in_scores, so_far} >> (LANES*SCORE_W);

    always @(posedge clk) begin
        if (in_valid)
            assume (in_last == (taken == BEATS - 1));
        if (rst)
            taken <= 0;
        else if (take)
            taken <= in_last ? 0 : taken + 1'b1;
        if (take)
            so_far <= vector;
    end

    reg [TOTAL_W-1:0] total;
    reg [CLASS_W-1:0] winner;
    integer k;

    always @* begin
        total  = 0;
        winner = 0;
        for (k = 0; k < N; k = k + 1) begin
            total = total + vector[k*SCORE_W +: SCORE_W];
            if (vector[k*SCORE_W +: SCORE_W] > vector[winner*SCORE_W +: SCORE_W])
                winner = k;
        end
    end

    stream_contract #(
        .W(CLASS_W + TOTAL_W + N*SCORE_W), .CAPACITY(CAPACITY), .PATIENCE(PATIENCE)
    ) u_contract (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready),
        .in_first(taken == 0), .in_last(in_last), .in_good(1'b1),
        .promised({winner, total, vector}),
        .out_valid(out_valid), .out_ready(out_ready),
        .out_payload({out_class, out_total, out_scores})
    );

endmodule

`default_nettype wire
