// SPDX-License-Identifier: MIT
// additions - for Yosys' techmap: every sum and difference is a carry chain of its own
//
//     y = a + b, or a - b
//
// Yosys' alumacc merges what is added once into a sum of many operands, of carry-save adders in LUTs
// with one chain behind them. Where the additions were shared before, each of them alone is smaller.

(* techmap_celltype = "$add $sub" *)
module _60_addition #(
    parameter A_SIGNED = 0,
    parameter B_SIGNED = 0,
    parameter A_WIDTH  = 1,
    parameter B_WIDTH  = 1,
    parameter Y_WIDTH  = 1,
    parameter _TECHMAP_CELLTYPE_ = "$add"
) (A, B, Y);

    input  [A_WIDTH-1:0] A;
    input  [B_WIDTH-1:0] B;
    output [Y_WIDTH-1:0] Y;

    // Operands are extended as signed ones where both are.
    localparam SIGNED = A_SIGNED && B_SIGNED;
    localparam MINUS  = _TECHMAP_CELLTYPE_ == "$sub";

    wire [Y_WIDTH-1:0] x, co;

    \$alu #(
        .A_SIGNED(SIGNED), .B_SIGNED(SIGNED), .A_WIDTH(A_WIDTH), .B_WIDTH(B_WIDTH), .Y_WIDTH(Y_WIDTH)
    ) u_alu (
        .A(A), .B(B), .BI(MINUS), .CI(MINUS), .Y(Y), .X(x), .CO(co)
    );

endmodule
