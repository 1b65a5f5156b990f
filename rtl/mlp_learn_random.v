// SPDX-License-Identifier: MIT
// mlp_learn_random - one LFSR for masters at random, the order of an epoch, a sample's dither
//
//     start: 16 steps a weight; order: 16 steps an epoch; dither: 1 step a learned sample
//
// Golden model   model/learning/backprop.py: start, order, moved
// Latency        2 cycles from a sample's begin to its step: until then the dither of the one before
//                is in use

`default_nettype none

module mlp_learn_random (
    input  wire        clk,
    input  wire        rst,             // synchronous, active high

    input  wire        load,
    input  wire [15:0] seed,
    input  wire        learns,          // a sample begins that is learned
    input  wire        draws,           // a step for an order

    input  wire        starting,        // masters are wanted
    input  wire        bias,
    input  wire [3:0]  range,
    output wire        start_made,
    output wire [15:0] start_master,

    output wire [15:0] lfsr
);

    wire dithers, start_steps;

    mlp_delay #(.W(1), .CYCLES(2)) u_dithers (
        .clk(clk), .rst(rst), .en(1'b1), .in_data(learns), .out_data(dithers)
    );

    mlp_learn_start u_start (
        .clk(clk), .rst(rst), .en(starting), .in_bias(bias), .in_range(range), .lfsr(lfsr),
        .lfsr_step(start_steps), .out_valid(start_made), .out_master(start_master)
    );

    mlp_lfsr u_lfsr (
        .clk(clk), .load(load), .seed(seed), .en(dithers || start_steps || draws), .state(lfsr)
    );

endmodule

`default_nettype wire
