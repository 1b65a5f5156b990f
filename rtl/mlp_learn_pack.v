// SPDX-License-Identifier: MIT
// mlp_learn_pack - bytes to words of LANES, the last word of a vector filled up with zeros
//
//     lane 0 brings its byte and zeros for all others, each other lane its byte alone
//
// Golden model   model/learning/core.py: Core.words
// Latency        0 cycles: a byte is written in the cycle in which it comes
//
// A word is whole when out_whole says so.

`default_nettype none

module mlp_learn_pack #(
    parameter LANES = 2                 // bytes of a word, 1 or more
) (
    input  wire               clk,
    input  wire               rst,      // synchronous, active high

    input  wire               in_valid,
    input  wire               in_last,  // of a vector
    input  wire [7:0]         in_x,

    output wire [LANES-1:0]   out_write,    // bytes of the word that are written
    output wire [LANES*8-1:0] out_word,
    output wire               out_whole
);

    localparam LANE_W = LANES > 1 ? $clog2(LANES) : 1;
    localparam integer FINAL = LANES - 1;
    localparam [LANES-1:0] ONE = 1;

    reg  [LANE_W-1:0] lane;
    wire              first  = lane == {LANE_W{1'b0}};
    wire [7:0]        behind = first ? 8'd0 : in_x;

    genvar k;
    generate
        for (k = 0; k < LANES; k = k + 1) begin : g_lane
            assign out_word[k*8 +: 8] = k == 0 ? in_x : behind;
        end
    endgenerate

    assign out_write = {LANES{in_valid}} & ({LANES{first}} | (ONE << lane));
    assign out_whole = in_last || lane == FINAL[LANE_W-1:0];

    always @(posedge clk) begin
        if (rst)
            lane <= {LANE_W{1'b0}};
        else if (in_valid)
            lane <= out_whole ? {LANE_W{1'b0}} : lane + 1'b1;
    end

    wire unused = &{1'b0, behind};

endmodule

`default_nettype wire
