// SPDX-License-Identifier: MIT
// constant_multiplier - for Yosys' techmap: a signed product with a constant, without a multiplier
//
//     y = a * constant
//
// A constant of up to 8 bits is two digits, 16*high + low: y adds or subtracts two of the multiples
// of `a` from 0 to 15. A multiple takes one adder, or two. Each is written alike in every product,
// so Yosys keeps one of those that the products of one `a` have in common.

(* techmap_celltype = "$mul" *)
module constant_multiplier #(
    parameter A_SIGNED = 1,
    parameter B_SIGNED = 1,
    parameter A_WIDTH  = 8,
    parameter B_WIDTH  = 8,
    parameter Y_WIDTH  = 16,
    parameter _TECHMAP_CONSTMSK_B_ = 0,         // ones where a bit of B is constant
    parameter _TECHMAP_CONSTVAL_B_ = 0
) (
    input  wire signed [A_WIDTH-1:0] A,
    input  wire signed [B_WIDTH-1:0] B,
    output wire signed [Y_WIDTH-1:0] Y
);

    localparam IS_CONSTANT = &_TECHMAP_CONSTMSK_B_[B_WIDTH-1:0];

    wire _TECHMAP_FAIL_ = !IS_CONSTANT || !A_SIGNED || !B_SIGNED;

    localparam signed [B_WIDTH-1:0] CONSTANT = _TECHMAP_CONSTVAL_B_[B_WIDTH-1:0];
    localparam integer VALUE = CONSTANT;

    generate
        if (B_WIDTH > 8) begin : g_halves
            localparam signed [7:0]         TAIL = CONSTANT[7:0];
            localparam signed [B_WIDTH-8:0] HEAD = (VALUE - TAIL) >>> 8;

            wire signed [Y_WIDTH-1:0] tail = A * TAIL;
            wire signed [Y_WIDTH-1:0] head = A * HEAD;

            assign Y = tail + (head <<< 8);
        end else begin : g_digits
            // The low digit of a negative constant is positive, as the high one is negative: then
            // it takes a difference, and never a sum with its sign turned.
            localparam integer LOW  = VALUE < 0 ? VALUE & 15 : ((VALUE + 7) & 15) - 7;
            localparam integer HIGH = (VALUE - LOW) / 16;
            localparam integer LOW_MULTIPLE  = LOW < 0 ? -LOW : LOW;
            localparam integer HIGH_MULTIPLE = HIGH < 0 ? -HIGH : HIGH;
            localparam W = A_WIDTH + 4;

            wire signed [W-1:0] a        = A;
            wire signed [W-1:0] three    = a + (a <<< 1);
            wire signed [W-1:0] five     = a + (a <<< 2);
            wire signed [W-1:0] seven    = (a <<< 3) - a;
            wire signed [W-1:0] nine     = a + (a <<< 3);
            wire signed [W-1:0] eleven   = three + (a <<< 3);
            wire signed [W-1:0] thirteen = five + (a <<< 3);
            wire signed [W-1:0] fifteen  = (a <<< 4) - a;

            wire [16*W-1:0] multiples = {
                fifteen, seven <<< 1, thirteen, three <<< 2, eleven, five <<< 1, nine, a <<< 3,
                seven, three <<< 1, five, a <<< 2, three, a <<< 1, a, {W{1'b0}}
            };

            wire signed [W-1:0]       low_multiple  = multiples[LOW_MULTIPLE*W +: W];
            wire signed [W-1:0]       high_multiple = multiples[HIGH_MULTIPLE*W +: W];
            wire signed [Y_WIDTH-1:0] low           = low_multiple;
            wire signed [Y_WIDTH-1:0] high          = high_multiple <<< 4;

            assign Y = HIGH < 0 ? low - high : LOW < 0 ? high - low : high + low;
        end
    endgenerate

endmodule
