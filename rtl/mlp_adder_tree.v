// SPDX-License-Identifier: MIT
// mlp_adder_tree - sum of N signed lanes, one register per level
//
//     sum = in[0] + ... + in[N-1]        modulo 2^W: the caller picks a W that holds every sum
//
// Golden model   numpy.sum
// Latency        ceil(log2(N)) cycles; holds while !en

`default_nettype none

module mlp_adder_tree #(
    parameter N = 4,                    // lanes, 1 or more
    parameter W = 16                    // bits of a lane and of the sum
) (
    input  wire           clk,
    input  wire           en,
    input  wire [N*W-1:0] in_lanes,
    output wire [W-1:0]   out_sum
);

    // A heap: node 1 is the root, node i adds nodes 2i and 2i+1, the leaves begin at LEAVES.
    localparam LEAVES = 1 << $clog2(N);

    genvar i;
    generate
        for (i = 2*LEAVES - 1; i >= 1; i = i - 1) begin : g_node
            wire [W-1:0] value;

            if (i >= LEAVES + N) begin : g_zero
                assign value = {W{1'b0}};
            end else if (i >= LEAVES) begin : g_lane
                assign value = in_lanes[(i-LEAVES)*W +: W];
            end else begin : g_sum
                reg [W-1:0] sum_q;

                always @(posedge clk) begin
                    if (en)
                        sum_q <= g_node[2*i].value + g_node[2*i+1].value;
                end

                assign value = sum_q;
            end
        end

        if (N == 1) begin : g_wire
            wire unused = &{1'b0, clk, en};
        end
    endgenerate

    assign out_sum = g_node[1].value;

endmodule

`default_nettype wire
