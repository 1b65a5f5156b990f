// SPDX-License-Identifier: MIT
// mlp_learn_sequence - which master meets which input or delta in which cycle
//
//     forward, update    for each row n, each group g:    word n*G + g
//     backward           for each group g, each row n:    word n*G + g
//
// Golden model   model/learning/core.py: Core.cycles
// Stream         in: a sample; out: an issue a cycle, as soon as its operand has been written
// Latency        1 cycle from the sample to its first issue
//
// G words of LANES masters hold a row. An issue waits until its input or delta is there, and the
// last of a group of sums until the group before it has left the lanes. A pass of updates shorter
// than their pipeline is followed by a gap, so that no word is read while its write is under way.

`default_nettype none

module mlp_learn_sequence #(
    parameter N_LAYERS                  = 2,        // linear layers, 1 .. 16
    parameter [32*(N_LAYERS+1)-1:0] N   = 96'h00000003_00000006_00000004,   // inputs, then outputs
    parameter [32*N_LAYERS-1:0]     SET = 64'h00000001_00000000,    // weight set of each layer
    parameter LANES                     = 2,        // masters of a word
    parameter LAYER_W                   = 1,        // bits of a layer's number
    parameter ADDR_W                    = 5         // of each address and count
) (
    input  wire               clk,
    input  wire               rst,                  // synchronous, active high

    input  wire               in_valid,
    output wire               in_ready,
    input  wire               in_learn,
    input  wire               answered,             // the sample's probabilities have left

    input  wire [ADDR_W-1:0]  x_count,              // words of inputs written
    input  wire [ADDR_W-1:0]  d_count,              // deltas written

    output wire               out_idle,
    output wire               out_valid,
    output wire               out_backward,
    output wire               out_update,
    output wire [LAYER_W-1:0] out_layer,
    output wire [4:0]         out_place,            // first, last of a sum; first, last group; last row
    output reg  [ADDR_W-1:0]  out_word,
    output wire [ADDR_W-1:0]  out_row,
    output wire [ADDR_W-1:0]  out_x,
    output wire [ADDR_W-1:0]  out_d,
    output wire               out_done              // the sample's last cycle
);

    localparam [2:0] GAP = 3'd5;                    // cycles after a brief pass of updates

    localparam SINCE_W = $clog2(LANES + 1);
    localparam [SINCE_W-1:0] ONE = 1;

    wire               idle, forward, pass;
    wire [LAYER_W-1:0] next_layer;

    mlp_learn_phase #(.N_LAYERS(N_LAYERS), .LAYER_W(LAYER_W)) u_phase (
        .clk(clk), .rst(rst), .begins(in_valid && in_ready), .in_learn(in_learn), .pass(pass),
        .answered(answered), .idle(idle), .forward(forward), .backward(out_backward),
        .update(out_update), .layer(out_layer), .next_layer(next_layer), .done(out_done)
    );

    reg  [ADDR_W-1:0] n, g, group_word, last_row, last_group, row_base, x_base, d_base;
    reg               brief;
    wire [ADDR_W-1:0] next_row, next_group, next_word, next_row_base, next_x_base, next_d_base;
    wire [ADDR_W-1:0] cols_unused;
    wire              next_brief, fresh_unused;

    mlp_learn_layers #(
        .N_LAYERS(N_LAYERS), .N(N), .SET(SET), .LANES(LANES), .LAYER_W(LAYER_W), .ADDR_W(ADDR_W)
    ) u_layers (
        .layer(next_layer), .cols(cols_unused), .last_row(next_row), .last_group(next_group),
        .word_base(next_word), .row_base(next_row_base), .x_base(next_x_base),
        .d_base(next_d_base), .brief(next_brief), .fresh(fresh_unused)
    );

    reg [2:0]         gap;
    reg [SINCE_W-1:0] since;                        // cycles since the last group's last issue

    wire ends_n  = n == last_row;
    wire ends_g  = g == last_group;
    wire there   = !forward ? out_d < d_count : out_layer == {LAYER_W{1'b0}} || out_x < x_count;
    wire blocked = out_backward && ends_n && since != LANES[SINCE_W-1:0];

    assign out_valid = (forward || out_backward || out_update) && gap == 3'd0 && there && !blocked;
    assign pass      = out_valid && ends_n && ends_g;
    assign out_idle  = idle && gap == 3'd0;
    assign in_ready  = out_idle;

    wire first_group = g == {ADDR_W{1'b0}};

    assign out_place = {out_backward ? n == {ADDR_W{1'b0}} : first_group,
                        out_backward ? ends_n : ends_g, first_group, ends_g, ends_n};
    assign out_row   = row_base + n;
    assign out_x     = x_base + g;
    assign out_d     = d_base + n;

    always @(posedge clk) begin
        if (rst)
            gap <= 3'd0;
        else if (pass && out_update && brief)
            gap <= GAP;
        else if (gap != 3'd0)
            gap <= gap - 3'd1;
    end

    always @(posedge clk) begin
        if (idle)
            since <= LANES[SINCE_W-1:0];
        else if (out_valid && out_backward && ends_n)
            since <= ONE;
        else if (since != LANES[SINCE_W-1:0])
            since <= since + 1'b1;
    end

    always @(posedge clk) begin
        if (idle || pass) begin
            n          <= {ADDR_W{1'b0}};
            g          <= {ADDR_W{1'b0}};
            out_word   <= next_word;
            group_word <= next_word + 1'b1;
            last_row   <= next_row;
            last_group <= next_group;
            row_base   <= next_row_base;
            x_base     <= next_x_base;
            d_base     <= next_d_base;
            brief      <= next_brief;
        end else if (out_valid && out_backward) begin
            n        <= ends_n ? {ADDR_W{1'b0}} : n + 1'b1;
            out_word <= ends_n ? group_word : out_word + last_group + 1'b1;
            if (ends_n) begin
                g          <= g + 1'b1;
                group_word <= group_word + 1'b1;
            end
        end else if (out_valid) begin
            g        <= ends_g ? {ADDR_W{1'b0}} : g + 1'b1;
            out_word <= out_word + 1'b1;
            if (ends_g)
                n <= n + 1'b1;
        end
    end

endmodule

`default_nettype wire
