// SPDX-License-Identifier: MIT
// carry_chains - for Yosys' techmap: carry chains of an ECP5 without a cell that feeds them
//
//     y = a + (b ^ {W{BI}}) + CI
//
// A chain of CCU2C takes its first carry from outside. Where that is a constant, nextpnr spends a
// cell of two LUTs on it. Here the first half of the first cell makes the carry, and nothing comes
// in: it is the constant where an odd number of bits leaves a half free; else it is the carry out
// of bit 0, whose sum is a LUT beside the chain.

(* techmap_celltype = "$alu" *)
module _70_carry_chain #(
    parameter A_SIGNED = 0,
    parameter B_SIGNED = 0,
    parameter A_WIDTH  = 1,
    parameter B_WIDTH  = 1,
    parameter Y_WIDTH  = 1,
    parameter _TECHMAP_CONSTMSK_CI_ = 0,        // 1 where CI is constant
    parameter _TECHMAP_CONSTVAL_CI_ = 0,
    parameter _TECHMAP_CONSTMSK_BI_ = 0,
    parameter _TECHMAP_CONSTVAL_BI_ = 0
) (A, B, CI, BI, X, Y, CO);

    (* force_downto *) input  [A_WIDTH-1:0] A;
    (* force_downto *) input  [B_WIDTH-1:0] B;
                       input                CI;
                       input                BI;
    (* force_downto *) output [Y_WIDTH-1:0] X;
    (* force_downto *) output [Y_WIDTH-1:0] Y;
    (* force_downto *) output [Y_WIDTH-1:0] CO;

    // Below, LUTs alone are fewer: Yosys' own map says so.
    localparam LEAST = 5;

    wire _TECHMAP_FAIL_ = Y_WIDTH < LEAST || !_TECHMAP_CONSTMSK_CI_ || !_TECHMAP_CONSTMSK_BI_;

    localparam FIRST  = _TECHMAP_CONSTVAL_CI_ & 1;
    localparam INVERT = _TECHMAP_CONSTVAL_BI_ & 1;
    localparam BESIDE = Y_WIDTH % 2 == 0;       // bit 0 is a LUT beside the chain
    localparam CELLS  = (Y_WIDTH + 1) / 2;

    // LUT4 of a half, by {d = 1, c = INVERT, b, a}: the sum of its bits, and LUT2 below, the carry
    // where that sum is 0. In the first half the sum is 0 and the carry what begins the chain.
    localparam [15:0] SUM   = 16'h96AA;
    localparam [3:0]  CARRY = !BESIDE ? {4{FIRST != 0}}
                            : INVERT != 0 ? (FIRST != 0 ? 4'b1011 : 4'b0010)
                                          : (FIRST != 0 ? 4'b1110 : 4'b1000);
    localparam [15:0] START = {12'h000, CARRY};

    (* force_downto *) wire [Y_WIDTH-1:0] a;
    (* force_downto *) wire [Y_WIDTH-1:0] b;
    \$pos #(.A_SIGNED(A_SIGNED), .A_WIDTH(A_WIDTH), .Y_WIDTH(Y_WIDTH)) u_a (.A(A), .Y(a));
    \$pos #(.A_SIGNED(B_SIGNED), .A_WIDTH(B_WIDTH), .Y_WIDTH(Y_WIDTH)) u_b (.A(B), .Y(b));

    // Half k of the chain has bit k - 1, or bit k where bit 0 is in the first half.
    wire [2*CELLS-1:0] half_a = BESIDE ? a : {a, 1'b0};
    wire [2*CELLS-1:0] half_b = BESIDE ? b : {b, 1'b0};
    wire [2*CELLS-1:0] half_s;
    wire [CELLS:0]     carry;

    assign carry[0] = 1'bx;

    genvar k;
    generate
        for (k = 0; k < CELLS; k = k + 1) begin : slice
            CCU2C #(
                .INIT0(k == 0 ? START : SUM), .INIT1(SUM), .INJECT1_0("NO"), .INJECT1_1("NO")
            ) u_cell (
                .CIN(carry[k]),
                .A0(half_a[2*k]), .B0(half_b[2*k]), .C0(INVERT != 0), .D0(1'b1),
                .A1(half_a[2*k+1]), .B1(half_b[2*k+1]), .C1(INVERT != 0), .D1(1'b1),
                .S0(half_s[2*k]), .S1(half_s[2*k+1]),
                .COUT(carry[k+1])
            );
        end
        if (BESIDE) begin : g_beside
            assign Y = {half_s[Y_WIDTH-1:1], a[0] ^ b[0] ^ (INVERT != 0) ^ (FIRST != 0)};
        end else begin : g_within
            assign Y = half_s[Y_WIDTH:1];
        end
    endgenerate

    // Carries that something else asks for, such as a comparison, come from the sums.
    wire [Y_WIDTH-1:0] added = INVERT != 0 ? ~b : b;

    assign X  = a ^ added;
    assign CO = (a & added) | ((X ^ Y) & (a | added));

endmodule
