// SPDX-License-Identifier: MIT
// learn_lane_properties - mlp_learn_lane: product, sum, drain and new master are their formulas
//
// Phases, operands and the control of sums are free in every cycle. A sum is of whatever issues its
// control has chosen; it may be any, in its SUM_W bits.

`default_nettype none

module learn_lane_properties #(
    parameter M_W      = 4,
    parameter W_W      = 3,
    parameter X_W      = 3,
    parameter D_W      = 4,
    parameter SUM_W    = 8,
    parameter DROP_MIN = 1,
    parameter DROP_MAX = 3
) (
    input wire                                                               clk,
    input wire                                                               in_backward,
    input wire                                                               in_update,
    input wire [M_W-1:0]                                                     in_master,
    input wire [X_W-1:0]                                                     in_x,
    input wire [D_W-1:0]                                                     in_d,
    input wire                                                               sum_en,
    input wire                                                               sum_first,
    input wire                                                               drain_load,
    input wire [SUM_W-1:0]                                                   drain_next,
    input wire                                                               update_en,
    input wire [DROP_MAX-1:0]                                                update_dither,
    input wire [(DROP_MAX > DROP_MIN ? $clog2(DROP_MAX-DROP_MIN+1) : 1)-1:0] update_drop
);

    wire [W_W+X_W-1:0] out_product;
    wire [SUM_W-1:0]   drain;
    wire [M_W-1:0]     out_master;

    mlp_learn_lane #(
        .M_W(M_W), .W_W(W_W), .X_W(X_W), .D_W(D_W), .SUM_W(SUM_W), .DROP_MIN(DROP_MIN),
        .DROP_MAX(DROP_MAX)
    ) u_dut (
        .clk(clk), .in_backward(in_backward), .in_update(in_update),
        .in_w(in_master[M_W-1 -: W_W]), .in_x(in_x), .in_d(in_d),
        .out_product(out_product), .sum_en(sum_en),
        .sum_first(sum_first), .drain_load(drain_load), .drain_next(drain_next), .drain(drain),
        .update_en(update_en), .update_master(master_2), .update_dither(update_dither),
        .update_drop(update_drop), .out_master(out_master)
    );

    wire signed [SUM_W-1:0] w = $signed(in_master) >>> (M_W - W_W);
    wire signed [SUM_W-1:0] x = $signed(in_x);
    wire signed [SUM_W-1:0] d = $signed(in_d);

    reg               forward_1, forward_2;
    reg signed [SUM_W-1:0] product_1, product_2;
    reg signed [M_W-1:0]   master_1, master_2;

    // Wide enough for every step and difference.
    wire signed [SUM_W+M_W-1:0] step = ($signed(product_2) + $signed({1'b0, update_dither}))
                                     >>> (DROP_MIN + update_drop);
    wire signed [SUM_W+M_W-1:0] aim  = master_2 - step;
    wire signed [SUM_W+M_W-1:0] most = (1 <<< (M_W - 1)) - 1;
    wire signed [SUM_W+M_W-1:0] moved = aim > most ? most : aim < -most - 1 ? -most - 1 : aim;

    reg [SUM_W-1:0] sum, drained;
    reg [M_W-1:0]   moved_3, moved_4, stood;
    reg             moves_3, moves_4;
    reg             summed = 1'b0, known = 1'b0;
    reg [2:0]       cycles = 3'd0;

    always @(posedge clk) begin
        cycles    <= cycles == 3'd4 ? cycles : cycles + 3'd1;
        forward_1 <= !in_backward && !in_update;
        product_1 <= in_update ? d * x : in_backward ? w * d : w * x;
        master_1  <= in_master;
        {forward_2, product_2, master_2} <= {forward_1, product_1, master_1};
        {moved_4, moved_3} <= {moved_3, moved[M_W-1:0]};
        {moves_4, moves_3} <= {moves_3, update_en};
        stood <= out_master;

        if (sum_en)
            sum <= sum_first ? product_2 : sum + product_2;
        if (sum_en && sum_first && cycles >= 3'd2)
            summed <= 1'b1;
        drained <= drain_load ? sum : drain_next;
        known   <= !drain_load || summed;

        assume (update_drop <= DROP_MAX - DROP_MIN);
        assume (!(in_backward && in_update));
        if (cycles >= 3'd2 && forward_2)
            product_is_exact: assert ($signed(out_product) == product_2);
        if (known)
            drain_is_the_sum: assert (drain == drained);
        if (cycles == 3'd4)
            equals_its_formula: assert (out_master == (moves_4 ? moved_4 : stood));
    end

endmodule

`default_nettype wire
