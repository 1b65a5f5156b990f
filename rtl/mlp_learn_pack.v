// SPDX-License-Identifier: MIT
// mlp_learn_pack - bytes to words of LANES, the last word of a vector filled up with zeros
//
//     word = the bytes of this word so far, the next one at its lane, zeros above
//
// Golden model   model/learning/core.py: Core.words
// Latency        0 cycles: the word holds the byte that comes in this cycle
//
// A word is written anew with each byte: it is whole when out_whole says so.

`default_nettype none

module mlp_learn_pack #(
    parameter LANES = 2                 // bytes of a word, 1 or more
) (
    input  wire               clk,
    input  wire               rst,      // synchronous, active high

    input  wire               in_valid,
    input  wire               in_last,  // of a vector
    input  wire [7:0]         in_x,

    output wire [LANES*8-1:0] out_word,
    output wire               out_whole
);

    localparam LANE_W = LANES > 1 ? $clog2(LANES) : 1;
    localparam integer FINAL = LANES - 1;

    reg [LANE_W-1:0]  lane;
    reg [LANES*8-1:0] so_far;           // zeros from the lane on

    genvar k;
    generate
        for (k = 0; k < LANES; k = k + 1) begin : g_lane
            assign out_word[k*8 +: 8] = lane == k[LANE_W-1:0] ? in_x : so_far[k*8 +: 8];
        end
    endgenerate

    assign out_whole = in_last || lane == FINAL[LANE_W-1:0];

    always @(posedge clk) begin
        if (rst)
            lane <= {LANE_W{1'b0}};
        else if (in_valid)
            lane <= out_whole ? {LANE_W{1'b0}} : lane + 1'b1;
    end

    always @(posedge clk) begin
        if (rst)
            so_far <= {(LANES*8){1'b0}};
        else if (in_valid)
            so_far <= out_whole ? {(LANES*8){1'b0}} : out_word;
    end

endmodule

`default_nettype wire
