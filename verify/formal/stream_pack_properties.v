// SPDX-License-Identifier: MIT
// stream_pack_properties - mlp_stream_pack keeps the contract of streams
//
// A vector of another length has no result.

`default_nettype none

module stream_pack_properties #(
    parameter N        = 4,
    parameter LANES    = 2,
    parameter W        = 2,
    parameter CAPACITY = 2,
    parameter PATIENCE = 2
) (
    input wire               clk,
    input wire               rst,
    input wire               in_valid,
    input wire               in_last,
    input wire [LANES*W-1:0] in_lanes,
    input wire               out_ready
);

    wire               in_ready;
    wire               out_valid;
    wire [N*W-1:0]     out_x;

    mlp_stream_pack #(.N(N), .LANES(LANES), .W(W)) u_dut (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready), .in_last(in_last), .in_lanes(in_lanes),
        .out_valid(out_valid), .out_ready(out_ready), .out_x(out_x)
    );

    localparam BEATS = N / LANES;

    // Beats taken of this vector, BEATS for too many; and their values, the newest on top.
    reg [7:0]     taken;
    reg [N*W-1:0] so_far;

    wire           take   = in_valid && in_ready;
    wire [N*W-1:0] vector = {in_lanes, so_far} >> (LANES*W);

    always @(posedge clk) begin
        if (rst)
            taken <= 0;
        else if (take)
            taken <= in_last ? 0 : taken == BEATS ? taken : taken + 1'b1;
        if (take)
            so_far <= vector;
    end

    stream_contract #(
        .W(N*W), .CAPACITY(CAPACITY), .PATIENCE(PATIENCE)
    ) u_contract (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready),
        .in_first(taken == 0), .in_last(in_last), .in_good(taken == BEATS - 1), .promised(vector),
        .out_valid(out_valid), .out_ready(out_ready), .out_payload({out_x})
    );

endmodule

`default_nettype wire
