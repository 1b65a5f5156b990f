// SPDX-License-Identifier: MIT
// softmax_reciprocal_properties - mlp_softmax_reciprocal keeps the contract of streams
//
//     by the reciprocal table

`default_nettype none

module softmax_reciprocal_properties #(
    parameter N          = 3,
    parameter LANES      = 1,
    parameter SCORE_W    = 3,
    parameter TOTAL_W    = 9,
    parameter RECIPROCAL = "",
    parameter CAPACITY   = 2,
    parameter PATIENCE   = 2
) (
    input wire                 clk,
    input wire                 rst,
    input wire                 in_valid,
    input wire [N*SCORE_W-1:0] in_scores,
    input wire [TOTAL_W-1:0]   in_total,
    input wire [$clog2(N)-1:0] in_class,
    input wire                 out_ready
);

    wire                 in_ready;
    wire                 out_valid;
    wire                 out_last;
    wire [$clog2(N)-1:0] out_class;
    wire [LANES*8-1:0]   out_quotients;

    mlp_softmax_reciprocal #(
        .N(N), .LANES(LANES), .SCORE_W(SCORE_W), .TOTAL_W(TOTAL_W), .RECIPROCAL(RECIPROCAL)
    ) u_dut (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready), .in_scores(in_scores), .in_total(in_total),
        .in_class(in_class),
        .out_valid(out_valid), .out_ready(out_ready), .out_last(out_last), .out_class(out_class),
        .out_quotients(out_quotients)
    );

    localparam BEATS   = N / LANES;
    localparam CLASS_W = $clog2(N);
    localparam BEAT_W  = 1 + CLASS_W + LANES*8;

    reg [15:0] entries [0:255];

    initial
        if (RECIPROCAL != "")
            $readmemh(RECIPROCAL, entries);

    reg [BEATS*BEAT_W-1:0] beats;
    reg [7:0] top;
    integer k, score, leading;

    always @* begin
        leading = 0;
        for (k = 0; k < TOTAL_W; k = k + 1)
            if (in_total[k])
                leading = k;
        top = ({in_total, 8'd0} >> leading) - 256;
        for (k = 0; k < N; k = k + 1) begin
            score = in_scores[k*SCORE_W +: SCORE_W];
            beats[k / LANES * BEAT_W + k % LANES * 8 +: 8] =
                score * entries[top] >> (leading + 8);
            beats[k / LANES * BEAT_W + LANES*8 +: CLASS_W]     = in_class;
            beats[k / LANES * BEAT_W + LANES*8 + CLASS_W +: 1] = k / LANES == BEATS - 1;
        end
    end

    always @(posedge clk)
        for (k = 0; k < N; k = k + 1)
            assume (in_total != 0 && in_scores[k*SCORE_W +: SCORE_W] <= in_total);

    stream_contract #(
        .W(BEAT_W), .GIVES(BEATS), .CAPACITY(CAPACITY), .PATIENCE(PATIENCE)
    ) u_contract (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready),
        .in_first(1'b1), .in_last(1'b1), .in_good(1'b1), .promised(beats),
        .out_valid(out_valid), .out_ready(out_ready),
        .out_payload({out_last, out_class, out_quotients})
    );

endmodule

`default_nettype wire
