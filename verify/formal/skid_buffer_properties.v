// SPDX-License-Identifier: MIT
// skid_buffer_properties - mlp_skid_buffer keeps the contract of streams; out = in

`default_nettype none

module skid_buffer_properties #(
    parameter W        = 3,
    parameter CAPACITY = 2,
    parameter PATIENCE = 2
) (
    input wire         clk,
    input wire         rst,
    input wire         in_valid,
    input wire         in_last,
    input wire [W-1:0] in_data,
    input wire         out_ready
);

    wire         in_ready;
    wire         out_valid;
    wire         out_last;
    wire [W-1:0] out_data;

    mlp_skid_buffer #(.W(W)) u_dut (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready), .in_last(in_last), .in_data(in_data),
        .out_valid(out_valid), .out_ready(out_ready), .out_last(out_last), .out_data(out_data)
    );

    stream_contract #(.W(1 + W), .CAPACITY(CAPACITY), .PATIENCE(PATIENCE), .PASSES(1)) u_contract (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready),
        .in_first(1'b1), .in_last(1'b1), .in_good(1'b1), .promised({in_last, in_data}),
        .out_valid(out_valid), .out_ready(out_ready), .out_payload({out_last, out_data})
    );

endmodule

`default_nettype wire
