// SPDX-License-Identifier: MIT
// mlp_ulx3s_learn - mlp_learn_board on a ULX3S (ECP5)
//
// The 25 MHz oscillator is the clock. The parameters of mlp_learn_board are set by what builds it.
// The serial chip names its pins from its own side: its txd is what comes in.

`default_nettype none

module mlp_ulx3s_learn (
    input  wire clk_25mhz,
    input  wire fire1,                  // button, high while it is held
    input  wire ftdi_txd,
    output wire ftdi_rxd,
    output wire wifi_gpio0              // high, or the other chip restarts the board
);

    wire rst;

    assign wifi_gpio0 = 1'b1;

    mlp_power_on u_power_on (.clk(clk_25mhz), .button(fire1), .rst(rst));

    mlp_learn_board u_board (.clk(clk_25mhz), .rst(rst), .rx(ftdi_txd), .tx(ftdi_rxd));

endmodule

`default_nettype wire
