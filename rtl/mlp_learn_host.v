// SPDX-License-Identifier: MIT
// mlp_learn_host - all that is not a sample: start, load, save, the order of an epoch
//
//     start: masters and order at random; load, save: all masters, lfsr, word, index, epoch, position
//
// Golden model   model/learning/learner.py: Learner, stream
// Stream         load and save: 16-bit words; order: the index of the sample that is wanted next
// Latency        as mlp_learn_control, mlp_learn_order

`default_nettype none

module mlp_learn_host #(
    parameter N_LAYERS                    = 2,      // linear layers, 1 .. 16
    parameter [32*(N_LAYERS+1)-1:0] N     = 96'h00000003_00000006_00000004, // inputs, then outputs
    parameter [32*N_LAYERS-1:0]     SET   = 64'h00000001_00000000,  // weight set of each layer
    parameter [32*N_LAYERS-1:0]     RANGE = 64'h00000002_00000001,  // of the weights' start, 0 .. 14
    parameter N_DROPS                     = 4,      // times that the rate may be halved, 1 .. 7
    parameter LANES                       = 2,      // masters of a word
    parameter LAYER_W                     = 1,      // bits of a layer's number
    parameter ADDR_W                      = 5       // of each address
) (
    input  wire                  clk,
    input  wire                  rst,               // synchronous, active high

    input  wire [15:0]           samples,           // of an epoch; constant
    input  wire [16*N_DROPS-1:0] thresholds,        // epochs from which on the rate is halved; constant

    input  wire                  start_valid,
    output wire                  start_ready,
    input  wire [15:0]           start_seed,
    input  wire                  load_valid,
    output wire                  load_ready,
    input  wire                  load_last,
    input  wire [15:0]           load_data,
    input  wire                  save_valid,
    output wire                  save_ready,
    output wire                  word_valid,
    input  wire                  word_ready,
    output wire                  word_last,
    output reg  [15:0]           word_data,
    output wire                  order_valid,
    input  wire                  order_ready,
    output wire                  order_last,
    output wire [15:0]           order_index,

    input  wire                  idle,              // no sample is under way
    input  wire                  learns,            // a sample begins that is learned
    output wire                  free,              // a sample may begin
    output wire                  may_learn,         // that is learned
    output wire                  has_network,
    output wire [15:0]           lfsr,
    output wire [15:0]           epoch,
    output wire [2:0]            halvings,

    output wire                  hosts,             // masters are addressed from here
    output wire [ADDR_W-1:0]     word_addr,
    output wire [ADDR_W-1:0]     row_addr,
    output wire [(LANES > 1 ? $clog2(LANES) : 1)-1:0] lane,
    output wire                  write_weight,
    output wire                  write_bias,
    output wire [15:0]           write_data,
    input  wire [LANES*16-1:0]   masters,           // of the word, a cycle later
    input  wire [15:0]           bias_master
);

    localparam ENTRIES = 1 << LAYER_W;

    function [4*ENTRIES-1:0] ranges(input integer layers);
        integer l;
        begin
            ranges = {(4*ENTRIES){1'b0}};
            for (l = 0; l < layers; l = l + 1)
                ranges[4*l +: 4] = RANGE[32*l +: 4];
        end
    endfunction

    localparam [4*ENTRIES-1:0] RANGES = ranges(N_LAYERS);

    wire               restart, step, here, last, writes, starting, made;
    wire               takes_tail, draws, drawn, bias, found, busy;
    wire [2:0]         tail;
    wire [15:0]        made_master, word, index, position;
    wire [LAYER_W-1:0] layer;

    mlp_learn_control u_control (
        .clk(clk), .rst(rst),
        .load_valid(load_valid), .load_ready(load_ready), .load_last(load_last),
        .save_valid(save_valid), .save_ready(save_ready),
        .word_valid(word_valid), .word_ready(word_ready), .word_last(word_last),
        .start_valid(start_valid), .start_ready(start_ready),
        .idle(idle), .order_busy(busy), .free(free), .has_network(has_network),
        .hosts(hosts), .restart(restart), .step(step), .here(here), .last(last), .writes(writes),
        .starting(starting), .start_made(made), .tail(tail), .takes_tail(takes_tail),
        .draws(draws), .drawn(drawn)
    );

    mlp_learn_walk #(
        .N_LAYERS(N_LAYERS), .N(N), .SET(SET), .LANES(LANES), .LAYER_W(LAYER_W), .ADDR_W(ADDR_W)
    ) u_walk (
        .clk(clk), .restart(restart), .step(step), .here(here), .last(last), .layer(layer),
        .bias(bias), .word(word_addr), .row(row_addr), .lane(lane)
    );

    wire starts = start_valid && start_ready;

    mlp_learn_random u_random (
        .clk(clk), .rst(rst), .load(starts || (takes_tail && tail == 3'd0)),
        .seed(starts ? start_seed : load_data), .learns(learns), .draws(draws),
        .starting(starting), .bias(bias), .range(RANGES[{layer, 2'b00} +: 4]),
        .start_made(made), .start_master(made_master), .lfsr(lfsr)
    );

    reg [15:0] kept_word, kept_index;

    always @(posedge clk) begin
        if (takes_tail && tail == 3'd1)
            kept_word <= load_data;
        if (takes_tail && tail == 3'd2)
            kept_index <= load_data;
    end

    mlp_learn_order u_order (
        .clk(clk), .rst(rst), .samples(samples), .draw(drawn), .draw_word(lfsr),
        .load(takes_tail && tail == 3'd4), .load_word(kept_word), .load_index(kept_index),
        .load_position(load_data), .step(learns), .busy(busy), .found(found), .word(word),
        .index(index), .position(position), .out_valid(order_valid), .out_ready(order_ready),
        .out_last(order_last), .out_index(order_index)
    );

    mlp_learn_rate #(.N_DROPS(N_DROPS)) u_rate (
        .clk(clk), .load(starts || (takes_tail && tail == 3'd3)),
        .load_epoch(starts ? 16'd0 : load_data), .step(drawn && has_network), .thresholds(thresholds),
        .epoch(epoch), .halvings(halvings)
    );

    wire [LANES*16-1:0] from_lane = masters >> {lane, 4'd0};
    reg  [15:0]         chosen;         // a register between all lanes and the choice of a word
    wire unused = &{1'b0, from_lane};

    assign may_learn    = found;
    assign write_weight = writes && !bias;
    assign write_bias   = writes && bias;
    assign write_data   = starting ? made_master : load_data;

    always @(posedge clk)
        chosen <= from_lane[15:0];

    always @(posedge clk)
        case (tail)
            3'd0:    word_data <= lfsr;
            3'd1:    word_data <= word;
            3'd2:    word_data <= index;
            3'd3:    word_data <= epoch;
            3'd4:    word_data <= position;
            default: word_data <= bias ? bias_master : chosen;
        endcase

endmodule

`default_nettype wire
