// SPDX-License-Identifier: MIT
// softmax_taylor2_properties - mlp_softmax_taylor2 keeps the contract of streams
//
//     (q + 2^FRAC)^2 + 4^FRAC of each logit

`default_nettype none

module softmax_taylor2_properties #(
    parameter N        = 3,
    parameter LANES    = 1,
    parameter X_W      = 3,
    parameter FRAC     = 1,
    parameter SCORE_W  = 5,
    parameter CAPACITY = 2,
    parameter PATIENCE = 2
) (
    input wire                     clk,
    input wire                     rst,
    input wire                     in_valid,
    input wire [N*X_W-1:0]         in_x,
    input wire                     out_ready
);

    wire                     in_ready;
    wire                     out_valid;
    wire                     out_last;
    wire [LANES*SCORE_W-1:0] out_scores;

    mlp_softmax_taylor2 #(.N(N), .LANES(LANES), .X_W(X_W), .FRAC(FRAC), .SCORE_W(SCORE_W)) u_dut (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready), .in_x(in_x),
        .out_valid(out_valid), .out_ready(out_ready), .out_last(out_last), .out_scores(out_scores)
    );

    localparam BEATS  = N / LANES;
    localparam BEAT_W = 1 + LANES*SCORE_W;

    reg [BEATS*BEAT_W-1:0] beats;
    integer k, q;

    always @*
        for (k = 0; k < N; k = k + 1) begin
            q = $signed(in_x[k*X_W +: X_W]);
            beats[k / LANES * BEAT_W + k % LANES * SCORE_W +: SCORE_W] =
                (q + (1 << FRAC)) * (q + (1 << FRAC)) + (1 << (2*FRAC));
            beats[k / LANES * BEAT_W + LANES*SCORE_W] = k / LANES == BEATS - 1;
        end

    stream_contract #(
        .W(BEAT_W), .GIVES(BEATS), .CAPACITY(CAPACITY), .PATIENCE(PATIENCE)
    ) u_contract (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready),
        .in_first(1'b1), .in_last(1'b1), .in_good(1'b1), .promised(beats),
        .out_valid(out_valid), .out_ready(out_ready), .out_payload({out_last, out_scores})
    );

endmodule

`default_nettype wire
