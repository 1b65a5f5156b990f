// SPDX-License-Identifier: MIT
// mlp_dot - dot product of SIMD inputs and weights: multiply, adder tree
//
//     sum = x[0] * w[0] + ... + x[SIMD-1] * w[SIMD-1]
//
// Golden model   numpy.dot
// Latency        1 + ceil(log2(SIMD)) cycles; holds while !en

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

    // A heap: node 1 is the root, node i adds nodes 2i and 2i+1, the leaves begin at LEAVES. Each has
    // a register of its own: a bus of them all would cost simulators more than the sums.
    localparam LEAVES = 1 << $clog2(SIMD);

    // 32 bits hold the product of any two lanes, and are a single word to a simulator.
    localparam EXACT_W = ACC_W > 32 ? ACC_W : 32;

    genvar i;
    generate
        for (i = 2*LEAVES - 1; i >= 1; i = i - 1) begin : g_node
            wire [ACC_W-1:0] value;

            if (i >= LEAVES + SIMD) begin : g_zero
                assign value = {ACC_W{1'b0}};
            end else if (i >= LEAVES) begin : g_lane
                wire signed [X_W-1:0]     x     = $signed(in_x[(i-LEAVES)*X_W +: X_W]);
                wire signed [W_W-1:0]     w     = $signed(in_w[(i-LEAVES)*W_W +: W_W]);
                wire signed [EXACT_W-1:0] exact = x * w;

                reg [ACC_W-1:0] product_q;

                always @(posedge clk) begin
                    if (en)
                        product_q <= exact[ACC_W-1:0];
                end

                assign value = product_q;

                wire unused = &{1'b0, exact};
            end else begin : g_sum
                reg [ACC_W-1:0] sum_q;

                always @(posedge clk) begin
                    if (en)
                        sum_q <= g_node[2*i].value + g_node[2*i+1].value;
                end

                assign value = sum_q;
            end
        end
    endgenerate

    assign out_sum = g_node[1].value;

    initial begin
        if (X_W < 2 || X_W > 16 || W_W < 2 || W_W > 16 || ACC_W < X_W + W_W || ACC_W > 63) begin
            $display("%m: X_W=%0d W_W=%0d ACC_W=%0d: need X_W and W_W in 2 .. 16 and ACC_W in X_W+W_W .. 63",
                     X_W, W_W, ACC_W);
            $finish;
        end
    end

endmodule

`default_nettype wire
