// SPDX-License-Identifier: MIT
// mlp_learn_order - the order in which an epoch wants its samples: each of them once
//
//     j' = (j + a) mod 2^B, those below `samples`; a = 2*word[15:8] + 1, the first j = word[7:0]
//
// Golden model   model/learning/backprop.py: order
// Stream         out: the index of the next sample, last on the final one of the epoch
// Latency        1 cycle from the word; then one for each j that is passed over
//
// An index is offered until it is taken; the next one follows when its sample has come (`step`),
// whether it was this one or another. B is the least that has room for all samples.

`default_nettype none

module mlp_learn_order (
    input  wire        clk,
    input  wire        rst,             // synchronous, active high: no epoch

    input  wire [15:0] samples,         // of an epoch, 1 or more; constant

    input  wire        draw,            // an epoch begins, at draw_word
    input  wire [15:0] draw_word,
    input  wire        load,            // or goes on
    input  wire [15:0] load_word,
    input  wire [15:0] load_index,
    input  wire [15:0] load_position,
    input  wire        step,            // a sample has come; only when found
    output reg         busy,            // an epoch is under way
    output wire        found,           // the next index is known

    output reg  [15:0] word,
    output reg  [15:0] index,
    output reg  [15:0] position,        // samples of this epoch that have come

    output wire        out_valid,
    input  wire        out_ready,
    output wire        out_last,
    output wire [15:0] out_index
);

    // All bits below the leading one of samples - 1, and that one: 2^B - 1.
    wire [15:0] most = samples - 16'd1;
    wire [15:0] by_1 = most | (most >> 1);
    wire [15:0] by_2 = by_1 | (by_1 >> 2);
    wire [15:0] by_4 = by_2 | (by_2 >> 4);
    wire [15:0] mask = by_4 | (by_4 >> 8);

    wire [15:0] a = {7'd0, word[15:8], 1'b1};

    reg taken;

    assign found     = busy && index < samples;
    assign out_valid = found && !taken;
    assign out_last  = position >= most;
    assign out_index = index;

    always @(posedge clk) begin
        if (rst)
            busy <= 1'b0;
        else if (draw || load)
            busy <= 1'b1;
        else if (step)
            busy <= !out_last;
    end

    always @(posedge clk) begin
        if (draw || load || step)
            taken <= 1'b0;
        else if (out_valid && out_ready)
            taken <= 1'b1;
    end

    always @(posedge clk) begin
        if (draw || load)
            word <= draw ? draw_word : load_word;
    end

    always @(posedge clk) begin
        if (draw || load)
            position <= draw ? 16'd0 : load_position;
        else if (step)
            position <= position + 16'd1;
    end

    always @(posedge clk) begin
        if (draw)
            index <= {8'd0, draw_word[7:0]} & mask;
        else if (load)
            index <= load_index & mask;
        else if (step || (busy && !found))
            index <= (index + a) & mask;
    end

endmodule

`default_nettype wire
