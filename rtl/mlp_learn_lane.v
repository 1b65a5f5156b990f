// SPDX-License-Identifier: MIT
// mlp_learn_lane - one multiplier that goes forward, backward and through the update
//
//     forward    product = w * x               w = the top W_W bits of the master
//     backward   sum     = sum of w * d        over the issues since sum_first
//     update     master' = mlp_learn_update(master, d * x)
//
// Golden model   model/learning/backprop.py: forward, backward, update
// Latency        2 cycles to the product, 3 to the sum, 4 to the new master; one issue per cycle
//
//     cycle   0          1          2                3                    4
//             operands   multiply   add, or round    drain, or subtract   new master
//
// The drain is a chain through all lanes: it takes the lanes' sums at once and hands them over one
// by one, lane 0 first, while the next sums are added up.

`default_nettype none

module mlp_learn_lane #(
    parameter M_W      = 16,            // signed master width, 2 .. 16
    parameter W_W      = 8,             // signed weight width, 2 .. M_W
    parameter X_W      = 8,             // signed input width, 2 .. 16
    parameter D_W      = 16,            // signed delta width, W_W or more
    parameter SUM_W    = 28,            // signed sum width; at least D_W + W_W
    parameter DROP_MIN = 6,             // fraction bits that an update drops, least
    parameter DROP_MAX = 11             // and most
) (
    input  wire                                                               clk,

    input  wire                                                               in_backward,
    input  wire                                                               in_update,
    input  wire [W_W-1:0]                                                     in_w,         // top of the master
    input  wire [X_W-1:0]                                                     in_x,
    input  wire [D_W-1:0]                                                     in_d,
    output wire [W_W+X_W-1:0]                                                 out_product,

    input  wire                                                               sum_en,       // beside the product
    input  wire                                                               sum_first,
    input  wire                                                               drain_load,   // beside the sum
    input  wire [SUM_W-1:0]                                                   drain_next,   // of the lane above
    output reg  [SUM_W-1:0]                                                   drain,

    input  wire                                                               update_en,        // beside the product
    input  wire [M_W-1:0]                                                     update_master,
    input  wire [DROP_MAX-1:0]                                                update_dither,
    input  wire [(DROP_MAX > DROP_MIN ? $clog2(DROP_MAX-DROP_MIN+1) : 1)-1:0] update_drop,
    output wire [M_W-1:0]                                                     out_master,
    output wire                                                               out_clamps    // it saturated
);

    localparam B_W = W_W > X_W ? W_W : X_W;     // the narrow operand: x, or w while going backward
    localparam P_W = D_W + B_W;

    reg        [D_W-1:0] a;
    reg        [B_W-1:0] b;
    reg        [P_W-1:0] product;
    wire signed [P_W-1:0] exact = $signed({{B_W{a[D_W-1]}}, a}) * $signed({{D_W{b[B_W-1]}}, b});

    always @(posedge clk) begin
        a        <= in_backward || in_update ? in_d : {{(D_W-W_W+1){in_w[W_W-1]}}, in_w[W_W-2:0]};
        b        <= in_backward ? {{(B_W-W_W+1){in_w[W_W-1]}}, in_w[W_W-2:0]}
                                        : {{(B_W-X_W+1){in_x[X_W-1]}}, in_x[X_W-2:0]};
        product  <= exact[P_W-1:0];
    end

    assign out_product = product[W_W+X_W-1:0];

    reg  [SUM_W-1:0] sum;
    wire [SUM_W-1:0] more = {{(SUM_W-P_W+1){product[P_W-1]}}, product[P_W-2:0]};

    always @(posedge clk) begin
        if (sum_en)
            sum <= (sum_first ? {SUM_W{1'b0}} : sum) + more;
    end

    always @(posedge clk) begin
        drain <= drain_load ? sum : drain_next;
    end

    mlp_learn_update #(.M_W(M_W), .P_W(P_W), .DROP_MIN(DROP_MIN), .DROP_MAX(DROP_MAX)) u_update (
        .clk(clk), .en(update_en), .in_master(update_master), .in_product(product),
        .in_dither(update_dither), .in_drop(update_drop), .out_master(out_master),
        .out_clamps(out_clamps)
    );

    initial begin
        if (W_W < 2 || W_W > M_W || X_W < 2 || X_W > 16 || D_W < W_W || SUM_W < P_W) begin
            $display("%m: M_W=%0d W_W=%0d X_W=%0d D_W=%0d SUM_W=%0d: need 2 <= W_W <= M_W, X_W in 2 .. 16, D_W >= W_W, SUM_W >= D_W + the wider of W_W and X_W",
                     M_W, W_W, X_W, D_W, SUM_W);
            $finish;
        end
    end

endmodule

`default_nettype wire
