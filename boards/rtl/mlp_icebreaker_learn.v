// SPDX-License-Identifier: MIT
// mlp_icebreaker_learn - mlp_learn_board on an iCEBreaker (iCE40 UP5K)
//
//     clk = 12 MHz * (DIVF + 1) / 2^DIVQ = 20.25 MHz
//
// The PLL makes the clock out of the 12 MHz oscillator's; the reset lasts until it is stable. The
// parameters of mlp_learn_board are set by what builds it.

`default_nettype none

module mlp_icebreaker_learn (
    input  wire CLK,                    // 12 MHz
    input  wire BTN_N,                  // user button, low while it is held
    input  wire RX,
    output wire TX
);

    wire clk, locked, rst, core_unused, sdo_unused;

    SB_PLL40_PAD #(
        .FEEDBACK_PATH("SIMPLE"),
        .DIVR(4'd0), .DIVF(7'd53), .DIVQ(3'd5), .FILTER_RANGE(3'd1)
    ) u_pll (
        .PACKAGEPIN(CLK), .PLLOUTGLOBAL(clk), .PLLOUTCORE(core_unused), .LOCK(locked),
        .RESETB(1'b1), .BYPASS(1'b0), .EXTFEEDBACK(1'b0), .DYNAMICDELAY(8'd0),
        .LATCHINPUTVALUE(1'b0), .SDO(sdo_unused), .SDI(1'b0), .SCLK(1'b0)
    );

    mlp_power_on u_power_on (.clk(clk), .button(!BTN_N || !locked), .rst(rst));

    mlp_learn_board u_board (.clk(clk), .rst(rst), .rx(RX), .tx(TX));

endmodule

`default_nettype wire
