// SPDX-License-Identifier: MIT
// mlp_learn_forward - products of all lanes to outputs of a layer, one by one
//
//     y = relu(clamp(rne((bias + sum of the products since in_first) / 2^shift)))
//
// Golden model   model/reference.py: linear, requantize, relu
// Latency        ceil(log2(LANES)) + 3 cycles from the last products to the output
//
// Layers differ in their shift: a sum goes up by what its layer's lacks, then all drop the most.

`default_nettype none

module mlp_learn_forward #(
    parameter LANES     = 2,            // products, 1 or more
    parameter ACC_W     = 20,           // signed sum width, 16 or more; holds every sum
    parameter SHIFT_MIN = 6,            // fraction bits that a layer drops, least
    parameter SHIFT_MAX = 8             // and most
) (
    input  wire                clk,
    input  wire                rst,     // synchronous, active high

    input  wire                in_valid,
    input  wire                in_first,
    input  wire                in_last,
    input  wire                in_last_row,
    input  wire                in_final,    // the layer is the last one
    input  wire                in_relu,
    input  wire [3:0]          in_lacks,    // SHIFT_MAX - shift
    input  wire [15:0]         in_bias,     // in accumulator LSBs, beside the first products
    input  wire [LANES*16-1:0] in_products,

    output wire                out_valid,
    output wire                out_last,    // of the layer
    output wire                out_final,
    output wire [7:0]          out_y,
    output wire                out_clamps   // an output saturated, a cycle before it leaves
);

    localparam LEVELS = $clog2(LANES);
    localparam TALL_W = ACC_W + SHIFT_MAX - SHIFT_MIN;

    wire [LANES*ACC_W-1:0] lanes;
    wire [ACC_W-1:0]       sum;

    genvar k;
    generate
        for (k = 0; k < LANES; k = k + 1) begin : g_lane
            assign lanes[k*ACC_W +: ACC_W] = {{(ACC_W-15){in_products[k*16+15]}}, in_products[k*16 +: 15]};
        end
    endgenerate

    // Entry k has come k levels up the tree, which rests while there is none.
    reg  [LEVELS:0]   under_way;
    wire [LEVELS+1:0] levels = {under_way, in_valid};
    wire              valid  = levels[LEVELS];
    wire              adds   = levels[LEVELS:0] != {(LEVELS+1){1'b0}};

    always @(posedge clk)
        under_way <= rst ? {(LEVELS+1){1'b0}} : levels[LEVELS:0];

    mlp_adder_tree #(.N(LANES), .W(ACC_W)) u_tree (
        .clk(clk), .en(adds), .in_lanes(lanes), .out_sum(sum)
    );

    wire        first, last, last_row, is_final, relu;
    wire [3:0]  lacks;
    wire [15:0] bias;

    mlp_delay #(.W(25), .CYCLES(LEVELS)) u_place (
        .clk(clk), .rst(1'b0), .en(1'b1),
        .in_data({in_first, in_last, in_last_row, in_final, in_relu, in_lacks, in_bias}),
        .out_data({first, last, last_row, is_final, relu, lacks, bias})
    );

    reg [ACC_W-1:0] acc;
    reg             acc_valid, acc_last_row, acc_final, acc_relu;
    reg [3:0]       acc_lacks;

    always @(posedge clk) begin
        if (valid)
            acc <= (first ? {{(ACC_W-15){bias[15]}}, bias[14:0]} : acc) + sum;
    end

    always @(posedge clk)
        acc_valid <= !rst && valid && last;

    always @(posedge clk)
        {acc_last_row, acc_final, acc_relu, acc_lacks} <= {last_row, is_final, relu, lacks};

    wire [TALL_W+ACC_W-1:0] extended = {{TALL_W{acc[ACC_W-1]}}, acc};
    wire [TALL_W-1:0]       tall     = extended[TALL_W-1:0] << acc_lacks;
    wire                    made_relu, ready_unused, relu_ready, relu_valid_unused, relu_last_unused;
    wire [7:0]              y, y_relu;

    mlp_requantize #(.LANES(1), .ACC_W(TALL_W), .OUT_W(8), .SHIFT(SHIFT_MAX)) u_requantize (
        .clk(clk), .rst(rst),
        .in_valid(acc_valid), .in_ready(ready_unused), .in_last(acc_last_row), .in_acc(tall),
        .out_valid(out_valid), .out_ready(1'b1), .out_last(out_last), .out_y(y)
    );

    // What a ReLU makes 0 has lost nothing.
    mlp_learn_clamps #(.ACC_W(TALL_W), .OUT_W(8), .SHIFT(SHIFT_MAX)) u_clamps (
        .clk(clk), .in_valid(acc_valid && !(acc_relu && acc[ACC_W-1])), .in_acc(tall),
        .out_clamps(out_clamps)
    );

    mlp_delay #(.W(2), .CYCLES(2)) u_beside (
        .clk(clk), .rst(1'b0), .en(1'b1), .in_data({acc_final, acc_relu}),
        .out_data({out_final, made_relu})
    );

    mlp_relu #(.LANES(1), .W(8)) u_relu (
        .in_valid(out_valid), .in_ready(relu_ready), .in_last(out_last), .in_x(y),
        .out_valid(relu_valid_unused), .out_ready(1'b1), .out_last(relu_last_unused),
        .out_y(y_relu)
    );

    assign out_y = made_relu ? y_relu : y;

    wire unused = &{1'b0, extended[TALL_W+ACC_W-1:TALL_W], levels[LEVELS+1], relu_ready};

    initial begin
        if (LANES < 1 || ACC_W < 16 || SHIFT_MIN < 0 || SHIFT_MAX < SHIFT_MIN || SHIFT_MAX > SHIFT_MIN + 15) begin
            $display("%m: LANES=%0d ACC_W=%0d SHIFT_MIN=%0d SHIFT_MAX=%0d: need LANES >= 1, ACC_W >= 16 and 0 <= SHIFT_MIN <= SHIFT_MAX <= SHIFT_MIN + 15",
                     LANES, ACC_W, SHIFT_MIN, SHIFT_MAX);
            $finish;
        end
    end

endmodule

`default_nettype wire
