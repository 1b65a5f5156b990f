// mlp_dot - dot product of SIMD inputs and weights: fetch, multiply, adder tree
//
//     sum = x[0] * w[0] + ... + x[SIMD-1] * w[SIMD-1]
//
// Golden model   numpy.dot
// Latency        2 + ceil(log2(SIMD)) cycles; holds while !en
//
// The multipliers of an FPGA sit in places of their own, far from ROM and adders: a register on
// both sides of each gives the way there and the way back a cycle of their own.

`default_nettype none

module mlp_dot #(
    parameter SIMD  = 4,                // lanes, 1 or more
    parameter X_W   = 8,                // signed input width, 2 .. 16
    parameter W_W   = 8,                // signed weight width, 2 .. 16
    parameter ACC_W = 20                // signed sum width, X_W + W_W .. 63; holds every sum
) (
    input  wire                clk,
    input  wire                en,
    input  wire [SIMD*X_W-1:0] in_x,
    input  wire [SIMD*W_W-1:0] in_w,
    output wire [ACC_W-1:0]    out_sum
);

    // One lane, sign-extended to the width of the sum.
    function [ACC_W-1:0] product(input signed [X_W-1:0] x, input signed [W_W-1:0] w);
        reg signed [X_W+W_W-1:0] exact;
        begin
            exact   = x * w;
            product = {{(ACC_W-X_W-W_W+1){exact[X_W+W_W-1]}}, exact[X_W+W_W-2:0]};
        end
    endfunction

    // All lanes at once: one assignment keeps simulators fast.
    function [SIMD*ACC_W-1:0] all_products(input [SIMD*X_W-1:0] x, input [SIMD*W_W-1:0] w);
        integer k;
        begin
            for (k = 0; k < SIMD; k = k + 1)
                all_products[k*ACC_W +: ACC_W] = product(x[k*X_W +: X_W], w[k*W_W +: W_W]);
        end
    endfunction

    reg [SIMD*X_W-1:0]   x;
    reg [SIMD*W_W-1:0]   w;
    reg [SIMD*ACC_W-1:0] products;

    always @(posedge clk) begin
        if (en) begin
            x        <= in_x;
            w        <= in_w;
            products <= all_products(x, w);
        end
    end

    mlp_adder_tree #(.N(SIMD), .W(ACC_W)) u_tree (
        .clk(clk), .en(en), .in_lanes(products), .out_sum(out_sum)
    );

    initial begin
        if (X_W < 2 || X_W > 16 || W_W < 2 || W_W > 16 || ACC_W < X_W + W_W || ACC_W > 63) begin
            $display("%m: X_W=%0d W_W=%0d ACC_W=%0d: need X_W and W_W in 2 .. 16 and ACC_W in X_W+W_W .. 63",
                     X_W, W_W, ACC_W);
            $finish;
        end
    end

endmodule

`default_nettype wire
