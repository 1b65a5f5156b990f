// SPDX-License-Identifier: MIT
// learn_mask_properties - mlp_learn_mask lets a delta through, but for a ReLU whose output is 0

`default_nettype none

module learn_mask_properties #(
    parameter W = 16
) (
    input wire         clk,             // the solver's: the module has none
    input wire         in_relu,
    input wire         in_zero,
    input wire [W-1:0] in_d
);

    wire [W-1:0] out_d;

    mlp_learn_mask #(.W(W)) u_dut (
        .in_relu(in_relu), .in_zero(in_zero), .in_d(in_d), .out_d(out_d)
    );

    wire stops = in_relu ? in_zero : 1'b0;

    always @(posedge clk)
        equals_its_formula: assert (stops ? out_d == 0 : out_d == in_d);

endmodule

`default_nettype wire
