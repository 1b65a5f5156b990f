// SPDX-License-Identifier: MIT
// mlp_leading_one - brings the leading one of a value to the top, and says how far it moved
//
//     y = x << zeros                     zeros = the count of zeros above the leading one of x
//
// Golden model   int.bit_length
// Latency        1 cycle; holds while !en
//
// The value is above zero. A level moves by its STEP where the upper STEP bits are 0.

`default_nettype none

module mlp_leading_one #(
    parameter W = 17                    // bits of the value, 2 or more
) (
    input  wire                 clk,
    input  wire                 en,
    input  wire [W-1:0]         in_x,
    output reg  [W-1:0]         out_y,
    output reg  [$clog2(W)-1:0] out_zeros
);

    localparam LEVELS = $clog2(W);

    wire [LEVELS-1:0] moved;

    genvar i;
    generate
        for (i = 0; i < LEVELS; i = i + 1) begin : g_level
            localparam STEP = 1 << (LEVELS - 1 - i);

            wire [W-1:0] level_in;
            wire         moves = ~|level_in[W-1 -: STEP];
            wire [W-1:0] level_out = moves ? level_in << STEP : level_in;

            if (i == 0) begin : g_first
                assign level_in = in_x;
            end else begin : g_next
                assign level_in = g_level[i-1].level_out;
            end

            assign moved[LEVELS-1-i] = moves;
        end
    endgenerate

    always @(posedge clk) begin
        if (en) begin
            out_y     <= g_level[LEVELS-1].level_out;
            out_zeros <= moved;
        end
    end

    initial begin
        if (W < 2) begin
            $display("%m: W=%0d: need 2 or more", W);
            $finish;
        end
    end

endmodule

`default_nettype wire
