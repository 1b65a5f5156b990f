// SPDX-License-Identifier: MIT
// learn_error_properties - mlp_learn_error keeps the contract of streams, and its formula
//
//     (p - 255 * onehot) * slope / 2^4, to the nearest, half to even; exp has a slope of 256

`default_nettype none

module learn_error_properties #(
    parameter N        = 2,
    parameter SCORE    = "exp",
    parameter SLOPES   = "",
    parameter CAPACITY = 2,
    parameter PATIENCE = 2
) (
    input wire           clk,
    input wire           rst,
    input wire           in_valid,
    input wire [N*8-1:0] in_p,
    input wire [N*8-1:0] in_logits,
    input wire [7:0]     in_label,
    input wire           out_ready
);

    wire        in_ready, out_valid, out_last;
    wire [15:0] out_d;

    mlp_learn_error #(.N(N), .SCORE(SCORE), .SLOPES(SLOPES)) u_dut (
        .clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready), .in_p(in_p),
        .in_logits(in_logits), .in_label(in_label), .out_valid(out_valid),
        .out_ready(out_ready), .out_last(out_last), .out_d(out_d)
    );

    reg [9:0] slopes [0:255];

    initial
        if (SLOPES != "")
            $readmemh(SLOPES, slopes);

    reg [N*17-1:0] beats;
    reg signed [9:0]  e, slope;
    reg signed [19:0] product;
    integer           k, below, rest;

    always @*
        for (k = 0; k < N; k = k + 1) begin
            e       = $signed({2'b00, in_p[k*8 +: 8]}) - (in_label == k ? 255 : 0);
            slope   = SCORE == "exp" ? 256 : $signed(slopes[in_logits[k*8 +: 8]]);
            product = e * slope;
            below   = product >>> 4;
            rest    = product - (below <<< 4);
            below   = rest > 8 || (rest == 8 && below[0]) ? below + 1 : below;
            beats[k*17 +: 17] = {k == N - 1, below[15:0]};
        end

    stream_contract #(
        .W(17), .GIVES(N), .CAPACITY(CAPACITY), .PATIENCE(PATIENCE)
    ) u_contract (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready),
        .in_first(1'b1), .in_last(1'b1), .in_good(1'b1), .promised(beats),
        .out_valid(out_valid), .out_ready(out_ready), .out_payload({out_last, out_d})
    );

endmodule

`default_nettype wire
