// SPDX-License-Identifier: MIT
// mlp_learn_engine - LANES multipliers that go through a network forward, backward and in update
//
//     logits = forward(x); deltas = backward(deltas of the logits); masters' = update(masters)
//
// Golden model   model/learning/backprop.py: forward, backward, update
// Stream         in: issues of mlp_learn_sequence, deltas of the logits; out: logits
// Latency        ceil(log2(LANES)) + 6 cycles from a row's last issue to its output, one more to its
//                use as an input; 7 from a group's last issue to its first delta, one more to its use
//
//     cycle   0       1      2          3          4                     5
//             issue   read   operands   multiply   add, drain or round   drained, or new master
//
// A list parameter has a 32-bit entry per layer.

`default_nettype none

module mlp_learn_engine #(
    parameter N_LAYERS                   = 2,       // linear layers, 1 .. 16
    parameter [32*(N_LAYERS+1)-1:0] N    = 96'h00000003_00000006_00000004,  // inputs, then outputs
    parameter [32*N_LAYERS-1:0]     RELU = 64'h00000000_00000001,   // 1 where a ReLU follows
    parameter [32*(N_LAYERS+1)-1:0] FRAC = 96'h00000003_00000003_00000004,  // of inputs, then outputs
    parameter LANES                      = 2,       // multipliers, 1 or more
    parameter FRAC_MIN                   = 3,       // least fraction bits of inputs
    parameter SHIFT_MIN                  = 6,       // fraction bits that a layer's outputs drop, least
    parameter SHIFT_MAX                  = 7,       // and most
    parameter DROP_MIN                   = 6,       // fraction bits that an update drops, least
    parameter DROP_MAX                   = 11,      // and most
    parameter ACC_W                      = 20,      // signed width of forward's sums
    parameter SUM_W                      = 28,      // of backward's
    parameter WORDS                      = 15,      // words of masters
    parameter ROWS                       = 9,       // biases
    parameter X_WORDS                    = 3,       // words of inputs, those of the first layer left out
    parameter DELTAS                     = 9,       // deltas of all layers
    parameter LAYER_W                    = 1,       // bits of a layer's number
    parameter ADDR_W                     = 5        // of each address and count
) (
    input  wire                clk,
    input  wire                rst,                 // synchronous, active high
    input  wire                begins,              // a sample
    input  wire                in_valid,            // an issue
    input  wire                in_backward,
    input  wire                in_update,
    input  wire [LAYER_W-1:0]  in_layer,
    input  wire [4:0]          in_place,            // first, last of a sum; first, last group; last row
    input  wire [ADDR_W-1:0]   in_word,
    input  wire [ADDR_W-1:0]   in_row,
    input  wire [ADDR_W-1:0]   in_x,
    input  wire [ADDR_W-1:0]   in_d,
    output wire [ADDR_W-1:0]   x_count,
    output wire [ADDR_W-1:0]   d_count,
    input  wire [LANES*8-1:0]  feature_word,        // of the address in_x, a cycle later
    input  wire [15:0]         lfsr,
    input  wire [2:0]          halvings,
    output wire                logit_valid,
    output wire                logit_last,
    output wire [7:0]          logit,
    input  wire                error_valid,
    input  wire [15:0]         error_d,
    input  wire                host_weight,         // written at in_word, now
    input  wire                host_bias,           // at in_row
    input  wire [(LANES > 1 ? $clog2(LANES) : 1)-1:0] host_lane,
    input  wire [15:0]         host_data,
    output wire [LANES*16-1:0] masters,             // a cycle after in_word
    output wire [15:0]         bias,                // a cycle after in_row
    output wire                clamps_y,            // an output, a delta, masters and a bias saturated
    output wire                clamps_d,
    output wire [LANES:0]      clamps_m
);

    localparam DROP_W  = DROP_MAX > DROP_MIN ? $clog2(DROP_MAX-DROP_MIN+1) : 1;
    localparam WORD_W  = WORDS > 1 ? $clog2(WORDS) : 1;
    localparam ROW_W   = ROWS  > 1 ? $clog2(ROWS)  : 1;
    localparam COUNT_W = $clog2(LANES + 1);

    wire               is_backward, is_update, is_first, forward, sum_en, update_en, drain_load, moves, bias_moves;
    wire [4:0]         place;
    wire [3:0]         frac, lacks;
    wire               relu, relu_below, is_final;
    wire [COUNT_W-1:0] count;
    wire [DROP_MAX-1:0] dither;
    wire [DROP_W-1:0]  drop;
    wire [LANES*8-1:0] x_word, x;
    wire [15:0]        d, code, below_d, y_d;
    wire [LANES*16-1:0] products;
    wire [SUM_W-1:0]   drain;
    wire [LANES-1:0]   clamps;
    wire               y_valid, y_last, y_final, below_valid, clamps_bias;
    wire [7:0]         y;

    mlp_learn_timing #(
        .N_LAYERS(N_LAYERS), .N(N), .RELU(RELU), .FRAC(FRAC), .LANES(LANES), .FRAC_MIN(FRAC_MIN),
        .SHIFT_MAX(SHIFT_MAX), .DROP_MIN(DROP_MIN), .DROP_MAX(DROP_MAX), .LAYER_W(LAYER_W)
    ) u_timing (
        .clk(clk), .rst(rst), .in_valid(in_valid), .in_backward(in_backward),
        .in_update(in_update), .in_layer(in_layer), .in_place(in_place), .lfsr(lfsr),
        .halvings(halvings), .is_backward(is_backward), .is_update(is_update),
        .is_first(is_first), .frac(frac), .forward(forward), .place(place), .lacks(lacks),
        .relu(relu), .is_final(is_final), .sum_en(sum_en), .update_en(update_en), .dither(dither),
        .drop(drop), .drain_load(drain_load), .count(count), .relu_below(relu_below),
        .moves(moves), .bias_moves(bias_moves)
    );

    assign x   = is_first ? feature_word : x_word;
    assign y_d = error_valid ? error_d : below_d;

    mlp_learn_operands #(
        .LANES(LANES), .WORDS(X_WORDS), .DELTAS(DELTAS), .ADDR_W(ADDR_W)
    ) u_operands (
        .clk(clk), .rst(rst), .begins(begins),
        .y_valid(y_valid && !y_final), .y_last(y_last), .y(y),
        .d_valid(error_valid || below_valid), .d(y_d),
        .x_count(x_count), .d_count(d_count), .x_addr(in_x), .x_word(x_word), .d_addr(in_d),
        .d_word(d)
    );

    mlp_learn_lanes #(
        .LANES(LANES), .WORDS(WORDS), .SUM_W(SUM_W), .DROP_MIN(DROP_MIN), .DROP_MAX(DROP_MAX)
    ) u_lanes (
        .clk(clk), .word(in_word[WORD_W-1:0]), .backward(is_backward), .update(is_update), .x(x),
        .d(d), .products(products), .sum_en(sum_en), .sum_first(place[4]),
        .drain_load(drain_load), .drain(drain), .update_en(update_en), .dither(dither), .drop(drop),
        .moves(moves), .clamps(clamps), .host_write(host_weight), .host_lane(host_lane),
        .host_data(host_data), .masters(masters)
    );

    mlp_learn_bias #(.ROWS(ROWS), .DROP_MIN(DROP_MIN), .DROP_MAX(DROP_MAX)) u_bias (
        .clk(clk), .row(in_row[ROW_W-1:0]), .frac(frac), .code(code), .master(bias), .d(d),
        .dither(dither), .drop(drop), .moves(bias_moves), .clamps(clamps_bias),
        .host_write(host_bias), .host_data(host_data)
    );

    mlp_learn_forward #(
        .LANES(LANES), .ACC_W(ACC_W), .SHIFT_MIN(SHIFT_MIN), .SHIFT_MAX(SHIFT_MAX)
    ) u_forward (
        .clk(clk), .rst(rst), .in_valid(forward), .in_first(place[4]), .in_last(place[3]),
        .in_last_row(place[0]), .in_final(is_final), .in_relu(relu), .in_lacks(lacks),
        .in_bias(code), .in_products(products),
        .out_valid(y_valid), .out_last(y_last), .out_final(y_final), .out_y(y),
        .out_clamps(clamps_y)
    );

    mlp_learn_backward #(.LANES(LANES), .SUM_W(SUM_W)) u_backward (
        .clk(clk), .rst(rst), .in_load(drain_load), .in_count(count),
        .in_relu(relu_below), .in_y(x), .in_sum(drain), .out_valid(below_valid),
        .out_d(below_d), .out_clamps(clamps_d)
    );

    assign logit_valid = y_valid && y_final;
    assign logit_last  = y_last;
    assign logit       = y;
    assign clamps_m    = {bias_moves && clamps_bias, {LANES{moves}} & clamps};

    wire unused = &{1'b0, in_word, in_row, place[2:1]};

endmodule

`default_nettype wire
