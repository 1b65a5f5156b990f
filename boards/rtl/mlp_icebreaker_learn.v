// SPDX-License-Identifier: MIT
// mlp_icebreaker_learn - mlp_learn_board on an iCEBreaker (iCE40 UP5K)
//
// The 12 MHz oscillator is the clock. The parameters of mlp_learn_board are set by what builds it.

`default_nettype none

module mlp_icebreaker_learn (
    input  wire CLK,                    // 12 MHz
    input  wire BTN_N,                  // user button, low while it is held
    input  wire RX,
    output wire TX
);

    wire rst;

    mlp_power_on u_power_on (.clk(CLK), .button(!BTN_N), .rst(rst));

    mlp_learn_board u_board (.clk(CLK), .rst(rst), .rx(RX), .tx(TX));

endmodule

`default_nettype wire
