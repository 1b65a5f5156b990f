// SPDX-License-Identifier: MIT
// learn_update_properties - mlp_learn_update moves each master by its formula, for every input
//
// The formula is that of model/learning/backprop.py in numbers that are wide enough for all of it:
// a master that is out of range becomes the nearest one that is not. Without en the last one stays.

`default_nettype none

module learn_update_properties #(
    parameter M_W      = 16,
    parameter P_W      = 24,
    parameter DROP_MIN = 6,
    parameter DROP_MAX = 11
) (
    input wire                                                               clk,
    input wire                                                               en,
    input wire [M_W-1:0]                                                     in_master,
    input wire [P_W-1:0]                                                     in_product,
    input wire [DROP_MAX-1:0]                                                in_dither,
    input wire [(DROP_MAX > DROP_MIN ? $clog2(DROP_MAX-DROP_MIN+1) : 1)-1:0] in_drop
);

    wire [M_W-1:0] out_master;

    mlp_learn_update #(.M_W(M_W), .P_W(P_W), .DROP_MIN(DROP_MIN), .DROP_MAX(DROP_MAX)) u_dut (
        .clk(clk), .en(en), .in_master(in_master), .in_product(in_product),
        .in_dither(in_dither), .in_drop(in_drop), .out_master(out_master)
    );

    localparam W = P_W + M_W;

    wire signed [W-1:0] master  = $signed(in_master);
    wire signed [W-1:0] product = $signed(in_product);
    wire signed [W-1:0] dither  = $signed({1'b0, in_dither});
    wire signed [W-1:0] step    = (product + dither) >>> (DROP_MIN + in_drop);
    wire signed [W-1:0] aim     = master - step;
    wire signed [W-1:0] most    = (1 <<< (M_W - 1)) - 1;
    wire signed [W-1:0] least   = -most - 1;
    wire signed [W-1:0] moved   = aim > most ? most : aim < least ? least : aim;

    reg [1:0]     cycles = 2'd0;
    reg [M_W-1:0] expected, expected_1, stood;
    reg           moves, moves_1;

    always @(posedge clk) begin
        cycles <= cycles == 2'd2 ? cycles : cycles + 2'd1;
        {expected, expected_1} <= {expected_1, moved[M_W-1:0]};
        {moves, moves_1} <= {moves_1, en};
        stood <= out_master;
        assume (in_drop <= DROP_MAX - DROP_MIN);
        if (cycles == 2'd2)
            equals_its_formula: assert (out_master == (moves ? expected : stood));
    end

endmodule

`default_nettype wire
