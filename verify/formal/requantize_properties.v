// SPDX-License-Identifier: MIT
// requantize_properties - mlp_requantize keeps the contract of streams, and its formula for every input
//
//     y = clamp(rne(acc / 2^SHIFT)), here by the distance to the neighbours instead of by bits

`default_nettype none

module requantize_properties #(
    parameter ACC_W    = 9,
    parameter OUT_W    = 4,
    parameter SHIFT    = 3,
    parameter CAPACITY = 2,
    parameter PATIENCE = 2
) (
    input wire             clk,
    input wire             rst,
    input wire             in_valid,
    input wire             in_last,
    input wire [ACC_W-1:0] in_acc,
    input wire             out_ready
);

    wire             in_ready;
    wire             out_valid;
    wire             out_last;
    wire [OUT_W-1:0] out_y;

    mlp_requantize #(.LANES(1), .ACC_W(ACC_W), .OUT_W(OUT_W), .SHIFT(SHIFT)) u_dut (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready), .in_last(in_last), .in_acc(in_acc),
        .out_valid(out_valid), .out_ready(out_ready), .out_last(out_last), .out_y(out_y)
    );

    wire signed [ACC_W+1:0] acc     = $signed(in_acc);
    wire signed [ACC_W+1:0] below   = acc >>> SHIFT;
    wire signed [ACC_W+1:0] twice   = (acc - (below <<< SHIFT)) <<< 1;     // distance, in halves
    wire signed [ACC_W+1:0] one     = 1 <<< SHIFT;
    wire                    up      = twice > one || (twice == one && below[0]);
    wire signed [ACC_W+1:0] nearest = up ? below + 1 : below;
    wire signed [ACC_W+1:0] most    = (1 <<< (OUT_W - 1)) - 1;
    wire signed [ACC_W+1:0] least   = -most - 1;
    wire signed [ACC_W+1:0] clamped =
        nearest > most ? most : nearest < least ? least : nearest;

    stream_contract #(.W(1 + OUT_W), .CAPACITY(CAPACITY), .PATIENCE(PATIENCE)) u_contract (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready),
        .in_first(1'b1), .in_last(1'b1), .in_good(1'b1), .promised({in_last, clamped[OUT_W-1:0]}),
        .out_valid(out_valid), .out_ready(out_ready), .out_payload({out_last, out_y})
    );

endmodule

`default_nettype wire
