// SPDX-License-Identifier: MIT
// credits_properties - layers that never wait keep the contract of streams behind mlp_credits
//
// A delay is in the place of the layers.

`default_nettype none

module credits_properties #(
    parameter W        = 1,
    parameter PLACES   = 3,
    parameter CAPACITY = 4,
    parameter PATIENCE = 3
) (
    input wire         clk,
    input wire         rst,
    input wire         in_valid,
    input wire [W-1:0] in_data,
    input wire         out_ready
);

    localparam CYCLES = PLACES - 1;

    wire         in_ready, enters, done_valid, out_valid;
    wire [W-1:0] done_data, out_data;

    mlp_delay #(.W(1), .CYCLES(CYCLES)) u_valid (
        .clk(clk), .rst(rst), .en(1'b1), .in_data(enters), .out_data(done_valid)
    );

    mlp_delay #(.W(W), .CYCLES(CYCLES)) u_data (
        .clk(clk), .rst(1'b0), .en(1'b1), .in_data(in_data), .out_data(done_data)
    );

    mlp_credits #(.W(W), .PLACES(PLACES)) u_dut (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready), .enters(enters),
        .done_valid(done_valid), .done_data(done_data),
        .out_valid(out_valid), .out_ready(out_ready), .out_data(out_data)
    );

    stream_contract #(.W(W), .CAPACITY(CAPACITY), .PATIENCE(PATIENCE)) u_contract (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready),
        .in_first(1'b1), .in_last(1'b1), .in_good(1'b1), .promised(in_data),
        .out_valid(out_valid), .out_ready(out_ready), .out_payload(out_data)
    );

endmodule

`default_nettype wire
