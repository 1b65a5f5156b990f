// SPDX-License-Identifier: MIT
// mlp_argmax_tree - largest of N unsigned lanes and its index, one register per level
//
//     max = max(in[0..N-1])              index = the lowest k with in[k] == max
//
// Golden model   model/reference.py: winner
// Latency        ceil(log2(N)) cycles; holds while !en

`default_nettype none

module mlp_argmax_tree #(
    parameter N       = 4,              // lanes, 1 or more
    parameter W       = 16,             // bits of a lane
    parameter INDEX_W = 2               // bits of the index, at least ceil(log2(N))
) (
    input  wire               clk,
    input  wire               en,
    input  wire [N*W-1:0]     in_lanes,
    output wire [W-1:0]       out_max,
    output wire [INDEX_W-1:0] out_index
);

    // A heap as in mlp_adder_tree. A missing lane is 0 at the right: it never beats what is there.
    localparam LEAVES = 1 << $clog2(N);

    wire [W-1:0]       node  [1:2*LEAVES-1];
    wire [INDEX_W-1:0] index [1:2*LEAVES-1];

    genvar i;
    generate
        for (i = 0; i < LEAVES; i = i + 1) begin : g_leaf
            assign index[LEAVES+i] = i[INDEX_W-1:0];
            if (i < N) begin : g_lane
                assign node[LEAVES+i] = in_lanes[i*W +: W];
            end else begin : g_zero
                assign node[LEAVES+i] = {W{1'b0}};
            end
        end

        for (i = 1; i < LEAVES; i = i + 1) begin : g_node
            wire right = node[2*i+1] > node[2*i];   // on a tie the left, lower index

            reg [W-1:0]       max_q;
            reg [INDEX_W-1:0] index_q;

            always @(posedge clk) begin
                if (en) begin
                    max_q   <= right ? node[2*i+1]  : node[2*i];
                    index_q <= right ? index[2*i+1] : index[2*i];
                end
            end

            assign node[i]  = max_q;
            assign index[i] = index_q;
        end

        if (N == 1) begin : g_wire
            wire unused = &{1'b0, clk, en};
        end
    endgenerate

    assign out_max   = node[1];
    assign out_index = index[1];

    initial begin
        if (INDEX_W < $clog2(N)) begin
            $display("%m: INDEX_W=%0d: need at least ceil(log2(N=%0d))", INDEX_W, N);
            $finish;
        end
    end

endmodule

`default_nettype wire
