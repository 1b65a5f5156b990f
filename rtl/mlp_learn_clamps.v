// SPDX-License-Identifier: MIT
// mlp_learn_clamps - whether requantization saturates a sum
//
//     clamps = rne(acc / 2^SHIFT) is none of OUT_W bits
//
// Golden model   model/learning/backprop.py: lost
// Latency        1 cycle
//
// Half an LSB above the largest output rounds away from it, to even; half below the least, to it.

`default_nettype none

module mlp_learn_clamps #(
    parameter ACC_W = 20,               // signed sum width; at least OUT_W + SHIFT
    parameter OUT_W = 8,                // signed output width, 2 or more
    parameter SHIFT = 7                 // fraction bits dropped, 0 or more
) (
    input  wire             clk,
    input  wire             in_valid,
    input  wire [ACC_W-1:0] in_acc,
    output reg              out_clamps  // there was a sum, and it is beyond the outputs
);

    localparam HALF_W = ACC_W + 2 - SHIFT;

    localparam [HALF_W-1:0] ONE   = 1;
    localparam [HALF_W-1:0] MOST  = (ONE << OUT_W) - ONE;       // half above the largest output
    localparam [HALF_W-1:0] LEAST = ~(ONE << OUT_W);            // half below the least

    // In halves of an output's LSB, rounded down: both limits are integers then.
    wire [ACC_W+1:0]         twice  = {in_acc[ACC_W-1], in_acc, 1'b0};
    wire signed [HALF_W-1:0] halves = $signed(twice[ACC_W+1:SHIFT]);

    always @(posedge clk)
        out_clamps <= in_valid && (halves >= $signed(MOST) || halves < $signed(LEAST));

    generate
        if (SHIFT > 0) begin : g_dropped
            wire unused = &{1'b0, twice[SHIFT-1:0]};
        end
    endgenerate

    initial begin
        if (OUT_W < 2 || SHIFT < 0 || ACC_W < OUT_W + SHIFT) begin
            $display("%m: ACC_W=%0d OUT_W=%0d SHIFT=%0d: need OUT_W >= 2, SHIFT >= 0 and ACC_W >= OUT_W + SHIFT",
                     ACC_W, OUT_W, SHIFT);
            $finish;
        end
    end

endmodule

`default_nettype wire
