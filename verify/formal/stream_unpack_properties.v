// SPDX-License-Identifier: MIT
// stream_unpack_properties - mlp_stream_unpack keeps the contract of streams
//
//     beats of a vector, its tag beside each

`default_nettype none

module stream_unpack_properties #(
    parameter N        = 4,
    parameter LANES    = 2,
    parameter W        = 2,
    parameter TAG_W    = 1,
    parameter CAPACITY = 2,
    parameter PATIENCE = 2
) (
    input wire               clk,
    input wire               rst,
    input wire               in_valid,
    input wire [N*W-1:0]     in_x,
    input wire [TAG_W-1:0]   in_tag,
    input wire               out_ready
);

    wire               in_ready;
    wire               out_valid;
    wire               out_last;
    wire [TAG_W-1:0]   out_tag;
    wire [LANES*W-1:0] out_lanes;

    mlp_stream_unpack #(.N(N), .LANES(LANES), .W(W), .TAG_W(TAG_W)) u_dut (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready), .in_x(in_x), .in_tag(in_tag),
        .out_valid(out_valid), .out_ready(out_ready), .out_last(out_last), .out_tag(out_tag),
        .out_lanes(out_lanes)
    );

    localparam BEATS  = N / LANES;
    localparam BEAT_W = 1 + TAG_W + LANES*W;

    reg [BEATS*BEAT_W-1:0] beats;
    integer b;

    always @*
        for (b = 0; b < BEATS; b = b + 1)
            beats[b*BEAT_W +: BEAT_W] = {b == BEATS - 1, in_tag, in_x[b*LANES*W +: LANES*W]};

    stream_contract #(
        .W(BEAT_W), .GIVES(BEATS), .CAPACITY(CAPACITY), .PATIENCE(PATIENCE)
    ) u_contract (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready),
        .in_first(1'b1), .in_last(1'b1), .in_good(1'b1), .promised(beats),
        .out_valid(out_valid), .out_ready(out_ready), .out_payload({out_last, out_tag, out_lanes})
    );

endmodule

`default_nettype wire
