// SPDX-License-Identifier: MIT
// mlp_learn_lanes - LANES multipliers, each with the masters of its place in a word
//
//     word a of masters = masters of lanes 0, 1, ... at address a
//
// Golden model   model/learning/core.py: Core.words
// Latency        1 cycle from the address to the masters, then as mlp_learn_lane; a new master is
//                written 5 cycles after its address, and read from the sixth on
//
// The host writes a lane at a time, and zeros into those above: so the last word of a row is filled
// up, and stays so, since these lanes' inputs are 0.

`default_nettype none

module mlp_learn_lanes #(
    parameter LANES    = 2,             // multipliers, 1 or more
    parameter WORDS    = 8,             // words of masters, 1 or more
    parameter SUM_W    = 28,            // signed width of backward's sums
    parameter DROP_MIN = 6,             // fraction bits that an update drops, least
    parameter DROP_MAX = 11             // and most
) (
    input  wire                                                               clk,

    input  wire [(WORDS > 1 ? $clog2(WORDS) : 1)-1:0]                         word,
    input  wire                                                               backward,     // a cycle later
    input  wire                                                               update,
    input  wire [LANES*8-1:0]                                                 x,
    input  wire [15:0]                                                        d,
    output wire [LANES*16-1:0]                                                products,     // 3 cycles after the word

    input  wire                                                               sum_en,       // beside the products
    input  wire                                                               sum_first,
    input  wire                                                               drain_load,   // a cycle later
    output wire [SUM_W-1:0]                                                   drain,

    input  wire                                                               update_en,    // beside the products
    input  wire [DROP_MAX-1:0]                                                dither,
    input  wire [(DROP_MAX > DROP_MIN ? $clog2(DROP_MAX-DROP_MIN+1) : 1)-1:0] drop,
    input  wire                                                               moves,        // 5 cycles after the word
    output wire [LANES-1:0]                                                   clamps,       // beside moves: saturated

    input  wire                                                               host_write,   // at this word; is done in the next cycle
    input  wire [(LANES > 1 ? $clog2(LANES) : 1)-1:0]                         host_lane,
    input  wire [15:0]                                                        host_data,
    output wire [LANES*16-1:0]                                                masters       // a cycle after the word
);

    localparam WORD_W = WORDS > 1 ? $clog2(WORDS) : 1;
    localparam LANE_W = LANES > 1 ? $clog2(LANES) : 1;

    wire [WORD_W-1:0]   next_word, late_word, moved_word;
    wire [LANES*16-1:0] write_data, late_masters, moved;

    // What the host says has a long way behind it.
    reg              from_host;
    reg [LANE_W-1:0] lane;
    reg [15:0]       said;

    always @(posedge clk) begin
        from_host <= host_write;
        lane      <= host_lane;
        said      <= host_data;
    end

    wire [LANES-1:0]  at_least   = {LANES{1'b1}} << lane;
    wire [LANES-1:0]  write      = {LANES{moves}} | ({LANES{from_host}} & at_least);
    wire [WORD_W-1:0] write_word = from_host ? next_word : moved_word;
    wire [SUM_W-1:0]  drains [0:LANES];

    assign drains[LANES] = {SUM_W{1'b0}};
    assign drain         = drains[0];

    mlp_delay #(.W(WORD_W), .CYCLES(1)) u_next_word (
        .clk(clk), .rst(1'b0), .en(1'b1), .in_data(word), .out_data(next_word)
    );

    mlp_delay #(.W(WORD_W), .CYCLES(1)) u_late_word (
        .clk(clk), .rst(1'b0), .en(1'b1), .in_data(next_word), .out_data(late_word)
    );

    mlp_delay #(.W(WORD_W), .CYCLES(3)) u_moved_word (
        .clk(clk), .rst(1'b0), .en(1'b1), .in_data(late_word), .out_data(moved_word)
    );

    mlp_learn_ram #(.WIDTH(16), .PARTS(LANES), .DEPTH(WORDS)) u_masters (
        .clk(clk), .write(write), .write_addr(write_word), .write_data(write_data),
        .addr(word), .data(masters)
    );

    // The same once more: read again, beside its products, a master needs no registers to wait in.
    mlp_learn_ram #(.WIDTH(16), .PARTS(LANES), .DEPTH(WORDS)) u_late_masters (
        .clk(clk), .write(write), .write_addr(write_word), .write_data(write_data),
        .addr(late_word), .data(late_masters)
    );

    genvar k;
    generate
        for (k = 0; k < LANES; k = k + 1) begin : g_lane
            localparam integer PLACE = k;

            wire mine = lane == PLACE[LANE_W-1:0];

            assign write_data[k*16 +: 16] = !from_host ? moved[k*16 +: 16] : mine ? said : 16'd0;

            mlp_learn_lane #(
                .M_W(16), .W_W(8), .X_W(8), .D_W(16), .SUM_W(SUM_W),
                .DROP_MIN(DROP_MIN), .DROP_MAX(DROP_MAX)
            ) u_lane (
                .clk(clk), .in_backward(backward), .in_update(update),
                .in_w(masters[k*16+8 +: 8]), .in_x(x[k*8 +: 8]), .in_d(d),
                .out_product(products[k*16 +: 16]),
                .sum_en(sum_en), .sum_first(sum_first), .drain_load(drain_load),
                .drain_next(drains[k+1]), .drain(drains[k]),
                .update_en(update_en), .update_master(late_masters[k*16 +: 16]),
                .update_dither(dither), .update_drop(drop), .out_master(moved[k*16 +: 16]),
                .out_clamps(clamps[k])
            );
        end
    endgenerate

endmodule

`default_nettype wire
