// SPDX-License-Identifier: MIT
// mlp_learn_mask - a ReLU stops the delta of an output that is 0
//
//     delta' = relu && zero ? 0 : delta
//
// Golden model   model/learning/backprop.py: mask
// Latency        0 cycles: gates only

`default_nettype none

module mlp_learn_mask #(
    parameter W = 16                    // signed width
) (
    input  wire         in_relu,        // a ReLU made the output
    input  wire         in_zero,        // the output is 0
    input  wire [W-1:0] in_d,
    output wire [W-1:0] out_d
);

    assign out_d = in_d & {W{!(in_relu && in_zero)}};

endmodule

`default_nettype wire
