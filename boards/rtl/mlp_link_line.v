// SPDX-License-Identifier: MIT
// mlp_link_line - a serial line as the bytes of frames, in both directions
//
// Golden model   boards/protocol.py: slip, unslip
// Stream         rx and tx: RFC 1055 (SLIP) at 8N1; heard: bytes and ends of frames, none can wait;
//                said: the bytes of a frame, last with its last one
//
// Wiring only.

`default_nettype none

module mlp_link_line #(
    parameter CYCLES = 104              // clock cycles of a bit, 8 or more
) (
    input  wire       clk,
    input  wire       rst,              // synchronous, active high

    input  wire       rx,
    output wire       tx,

    output wire       heard_valid,
    output wire       heard_end,
    output wire       heard_bad,        // with heard_end: the frame held an illegal escape
    output wire [7:0] heard_data,

    input  wire       said_valid,
    output wire       said_ready,
    input  wire       said_last,
    input  wire [7:0] said_data
);

    wire       rx_valid;
    wire [7:0] rx_data;

    mlp_uart_rx #(.CYCLES(CYCLES)) u_rx (
        .clk(clk), .rst(rst), .rx(rx), .out_valid(rx_valid), .out_data(rx_data)
    );

    mlp_slip_decode u_decode (
        .clk(clk), .rst(rst), .in_valid(rx_valid), .in_data(rx_data),
        .out_valid(heard_valid), .out_end(heard_end), .out_bad(heard_bad), .out_data(heard_data)
    );

    wire       tx_valid, tx_ready;
    wire [7:0] tx_data;

    mlp_slip_encode u_encode (
        .clk(clk), .rst(rst),
        .in_valid(said_valid), .in_ready(said_ready), .in_last(said_last), .in_data(said_data),
        .out_valid(tx_valid), .out_ready(tx_ready), .out_data(tx_data)
    );

    mlp_uart_tx #(.CYCLES(CYCLES)) u_tx (
        .clk(clk), .rst(rst), .in_valid(tx_valid), .in_ready(tx_ready), .in_data(tx_data), .tx(tx)
    );

endmodule

`default_nettype wire
