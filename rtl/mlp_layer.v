// SPDX-License-Identifier: MIT
// mlp_layer - one layer of the network: linear, requantize, ReLU or another activation or none
//
//     y = activation(requantize(linear(x)))
//
// Golden model   model/reference.py: trace
// Stream         in: N_IN/LANES beats, last on the final one; out: a vector a beat
// Throughput     (N_IN/SIMD)*(N_OUT/PE) cycles per vector, back to back
// Latency        (N_IN/SIMD)*(N_OUT/PE) + ceil(log2(SIMD)) + 6 cycles, or mlp_graph's and 2 with a plan,
//                1 more where PE < N_OUT, 1 more with a table, 1 more where LANES < N_IN
//
// Wiring only. Registers cut the chain of ready signals: behind the sums, whose multipliers all wait
// for one signal, and behind the layer, unless its multipliers are so few that they lie together.

`default_nettype none

module mlp_layer #(
    parameter N_IN    = 4,              // inputs
    parameter N_OUT   = 2,              // outputs
    parameter X_W     = 8,              // signed input width
    parameter W_W     = 8,              // signed weight width
    parameter ACC_W   = 20,             // signed accumulator width
    parameter Y_W     = 8,              // signed output width
    parameter SHIFT   = 7,              // fraction bits dropped by requantization
    parameter RELU    = 1,              // 1: ReLU behind requantization, 0: none
    parameter TABLE_W = 0,              // bits of a code that an activation's table takes, 0: no table
    parameter LANES   = 4,              // inputs of a beat: all N_IN, or fewer that divide SIMD, not LOADABLE
    parameter SIMD    = 2,              // inputs per cycle, divides N_IN
    parameter PE      = 1,              // outputs side by side, divides N_OUT
    parameter LOADABLE = 0,             // 1: weights and biases can be replaced; 0 .. 1
    parameter WORDS   = 0,              // words of a plan in the place of multipliers, 0: none
    parameter [32*WORDS+31:0] PLAN = 32'd0, // plan of mlp_graph, and a word; SIMD = N_IN, PE = N_OUT
    parameter WEIGHTS = "",             // ROM image of the weights
    parameter BIASES  = "",             // ROM image of the biases
    parameter TABLE   = ""              // ROM image of the activation's table
) (
    input  wire                 clk,
    input  wire                 rst,    // synchronous, active high
    input  wire [11:0]          load,   // turn, and the bus of mlp_load
    output wire                 load_full,

    input  wire                 in_valid,
    output wire                 in_ready,
    input  wire                 in_last,
    input  wire [LANES*X_W-1:0] in_x,

    output wire                 out_valid,
    input  wire                 out_ready,
    output wire [N_OUT*Y_W-1:0] out_x
);

    localparam FEW = 6;                         // multipliers
    localparam Z_W = TABLE_W != 0 ? TABLE_W : Y_W;  // bits of a code in front of the activation

    wire                acc_valid, acc_ready, acc_last;
    wire [PE*ACC_W-1:0] acc;

    generate
        if (WORDS != 0) begin : g_graph
            mlp_graph #(
                .N_IN(N_IN), .N_OUT(N_OUT), .X_W(X_W), .ACC_W(ACC_W), .WORDS(WORDS),
                .PLAN(PLAN[32*WORDS-1:0]), .BIASES(BIASES)
            ) u_graph (
                .clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready), .in_x(in_x),
                .out_valid(acc_valid), .out_ready(acc_ready), .out_acc(acc)
            );

            wire unused = &{1'b0, load, in_last};   // a plan is of its weights: they stay

            assign acc_last  = 1'b1;
            assign load_full = 1'b1;
        end else begin : g_linear
            mlp_linear #(
                .N_IN(N_IN), .N_OUT(N_OUT), .X_W(X_W), .W_W(W_W), .ACC_W(ACC_W), .LANES(LANES),
                .SIMD(SIMD), .PE(PE), .LOADABLE(LOADABLE), .WEIGHTS(WEIGHTS), .BIASES(BIASES)
            ) u_linear (
                .clk(clk), .rst(rst), .load(load), .load_full(load_full),
                .in_valid(in_valid), .in_ready(in_ready), .in_last(in_last), .in_x(in_x),
                .out_valid(acc_valid), .out_ready(acc_ready), .out_last(acc_last), .out_acc(acc)
            );
        end
    endgenerate

    wire                sum_valid, sum_ready, sum_last;
    wire [PE*ACC_W-1:0] sum;

    mlp_skid_buffer #(.W(PE*ACC_W)) u_sum_skid_buffer (
        .clk(clk), .rst(rst),
        .in_valid(acc_valid), .in_ready(acc_ready), .in_last(acc_last), .in_data(acc),
        .out_valid(sum_valid), .out_ready(sum_ready), .out_last(sum_last), .out_data(sum)
    );

    wire              y_valid, y_ready, y_last;
    wire [PE*Z_W-1:0] y;

    mlp_requantize #(.LANES(PE), .ACC_W(ACC_W), .OUT_W(Z_W), .SHIFT(SHIFT)) u_requantize (
        .clk(clk), .rst(rst),
        .in_valid(sum_valid), .in_ready(sum_ready), .in_last(sum_last), .in_acc(sum),
        .out_valid(y_valid), .out_ready(y_ready), .out_last(y_last), .out_y(y)
    );

    wire              a_valid, a_ready, a_last;
    wire [PE*Y_W-1:0] a;

    wire                 vector_valid, vector_ready;
    wire [N_OUT*Y_W-1:0] vector;

    generate
        if (TABLE_W != 0) begin : g_table
            mlp_activation #(
                .LANES(PE), .X_W(Z_W), .DROP(0), .ADDR_W(Z_W), .Y_W(Y_W), .FILE(TABLE)
            ) u_activation (
                .clk(clk), .rst(rst),
                .in_valid(y_valid), .in_ready(y_ready), .in_last(y_last), .in_x(y),
                .out_valid(a_valid), .out_ready(a_ready), .out_last(a_last), .out_y(a)
            );
        end else if (RELU != 0) begin : g_relu
            mlp_relu #(.LANES(PE), .W(Y_W)) u_relu (
                .in_valid(y_valid), .in_ready(y_ready), .in_last(y_last), .in_x(y),
                .out_valid(a_valid), .out_ready(a_ready), .out_last(a_last), .out_y(a)
            );
        end else begin : g_none
            assign a_valid = y_valid;
            assign y_ready = a_ready;
            assign a_last  = y_last;
            assign a       = y;
        end

        if (PE == N_OUT) begin : g_whole
            assign vector_valid = a_valid;
            assign a_ready      = vector_ready;
            assign vector       = a;

            wire unused = a_last;
        end else begin : g_pack
            mlp_stream_pack #(.N(N_OUT), .LANES(PE), .W(Y_W)) u_pack (
                .clk(clk), .rst(rst),
                .in_valid(a_valid), .in_ready(a_ready), .in_last(a_last), .in_lanes(a),
                .out_valid(vector_valid), .out_ready(vector_ready), .out_x(vector)
            );
        end

        if (SIMD*PE > FEW) begin : g_skid_buffer
            wire last_unused;

            mlp_skid_buffer #(.W(N_OUT*Y_W)) u_skid_buffer (
                .clk(clk), .rst(rst),
                .in_valid(vector_valid), .in_ready(vector_ready), .in_last(1'b1), .in_data(vector),
                .out_valid(out_valid), .out_ready(out_ready), .out_last(last_unused), .out_data(out_x)
            );
        end else begin : g_no_skid_buffer
            assign out_valid    = vector_valid;
            assign vector_ready = out_ready;
            assign out_x        = vector;
        end
    endgenerate

endmodule

`default_nettype wire
