// SPDX-License-Identifier: MIT
// learn_clamps_properties - mlp_learn_clamps tells every sum that requantization saturates
//
// The formula is that of model/reference.py: rounded half to even, in numbers wide enough for it.

`default_nettype none

module learn_clamps_properties #(
    parameter ACC_W = 20,
    parameter OUT_W = 8,
    parameter SHIFT = 7
) (
    input wire             clk,
    input wire             in_valid,
    input wire [ACC_W-1:0] in_acc
);

    wire out_clamps;

    mlp_learn_clamps #(.ACC_W(ACC_W), .OUT_W(OUT_W), .SHIFT(SHIFT)) u_dut (
        .clk(clk), .in_valid(in_valid), .in_acc(in_acc), .out_clamps(out_clamps)
    );

    localparam W = ACC_W + 2;

    wire signed [W-1:0] acc     = $signed(in_acc);
    wire signed [W-1:0] floor   = acc >>> SHIFT;
    wire signed [W-1:0] dropped = acc - (floor <<< SHIFT);
    wire signed [W-1:0] half    = (1 <<< SHIFT) / 2;
    wire                up      = SHIFT > 0 && (dropped > half || (dropped == half && floor[0]));
    wire signed [W-1:0] rounded = up ? floor + 1 : floor;
    wire signed [W-1:0] most    = (1 <<< (OUT_W - 1)) - 1;

    reg expected, known = 1'b0;

    always @(posedge clk) begin
        expected <= in_valid && (rounded > most || rounded < -most - 1);
        known    <= 1'b1;
        if (known)
            equals_its_formula: assert (out_clamps == expected);
    end

endmodule

`default_nettype wire
