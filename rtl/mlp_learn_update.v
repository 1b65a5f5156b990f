// SPDX-License-Identifier: MIT
// mlp_learn_update - a master goes down its gradient, rounded by a dither, saturated
//
//     s = DROP_MIN + in_drop
//     master' = clamp(master - ((product + dither) >>> s), -2^(M_W-1), 2^(M_W-1) - 1)
//
// Golden model   model/learning/backprop.py: moved
// Latency        2 cycles: round, subtract; one master per cycle; without en nothing moves, and the
//                last new master stays, and whether it saturated
//
// The dither comes as the s low bits of a random word: one for every master that a sample moves.

`default_nettype none

module mlp_learn_update #(
    parameter M_W      = 16,            // signed master width, 2 .. 16
    parameter P_W      = 24,            // signed product width
    parameter DROP_MIN = 6,             // least s, 1 or more
    parameter DROP_MAX = 11             // largest s, below P_W
) (
    input  wire                                                               clk,
    input  wire                                                               en,       // the inputs are a master's
    input  wire [M_W-1:0]                                                     in_master,
    input  wire [P_W-1:0]                                                     in_product,
    input  wire [DROP_MAX-1:0]                                                in_dither,
    input  wire [(DROP_MAX > DROP_MIN ? $clog2(DROP_MAX-DROP_MIN+1) : 1)-1:0] in_drop,
    output wire [M_W-1:0]                                                     out_master,
    output wire                                                               out_clamps    // it saturated
);

    localparam G_W    = P_W + 1 - DROP_MIN;                 // signed step, whatever s
    localparam DIFF_W = (G_W > M_W ? G_W : M_W) + 1;        // signed difference, exact

    localparam [M_W-1:0] M_MAX = {1'b0, {(M_W-1){1'b1}}};
    localparam [M_W-1:0] M_MIN = {1'b1, {(M_W-1){1'b0}}};

    // All of it shifted by the least s at once, the rest bit by bit of in_drop.
    wire signed [P_W:0]   sum  = $signed({in_product[P_W-1], in_product})
                               + $signed({{(P_W+1-DROP_MAX){1'b0}}, in_dither});
    wire signed [G_W-1:0] most = $signed(sum[P_W:DROP_MIN]);

    reg signed [G_W-1:0] step;
    reg        [M_W-1:0] master;
    reg                  rounded;

    always @(posedge clk) begin
        rounded <= en;
        if (en) begin
            step   <= most >>> in_drop;
            master <= in_master;
        end
    end

    // A function, so that a simulator too computes it only where it is needed.
    function automatic [M_W:0] clamped(input [DIFF_W-1:0] diff);
        reg fits;
        begin
            fits    = diff[DIFF_W-1:M_W-1] == {(DIFF_W-M_W+1){diff[DIFF_W-1]}};
            clamped = {!fits, fits ? diff[M_W-1:0] : diff[DIFF_W-1] ? M_MIN : M_MAX};
        end
    endfunction

    reg [M_W:0] result;

    always @(posedge clk) begin
        if (rounded)
            result <= clamped({{(DIFF_W-M_W){master[M_W-1]}}, master}
                            - {{(DIFF_W-G_W){step[G_W-1]}}, step});
    end

    assign {out_clamps, out_master} = result;

    wire unused = &{1'b0, sum};

    initial begin
        if (M_W < 2 || M_W > 16 || DROP_MIN < 1 || DROP_MAX < DROP_MIN || DROP_MAX >= P_W) begin
            $display("%m: M_W=%0d DROP_MIN=%0d DROP_MAX=%0d P_W=%0d: need M_W in 2 .. 16 and 1 <= DROP_MIN <= DROP_MAX < P_W",
                     M_W, DROP_MIN, DROP_MAX, P_W);
            $finish;
        end
    end

endmodule

`default_nettype wire
