// SPDX-License-Identifier: MIT
// mlp_learn_dither - the random bits that round an update, and how many bits it drops
//
//     s = DROP_MIN + above + halvings; dither = lfsr mod 2^s
//
// Golden model   model/learning/backprop.py: Plan.dropped, moved
// Latency        2 cycles, one layer per cycle

`default_nettype none

module mlp_learn_dither #(
    parameter DROP_MIN = 6,             // least s, 1 or more
    parameter DROP_MAX = 11             // largest s, 16 or less
) (
    input  wire                                                               clk,
    input  wire [3:0]                                                         above,
    input  wire [2:0]                                                         halvings,
    input  wire [15:0]                                                        lfsr,
    output reg  [DROP_MAX-1:0]                                                dither,
    output reg  [(DROP_MAX > DROP_MIN ? $clog2(DROP_MAX-DROP_MIN+1) : 1)-1:0] drop
);

    localparam DROP_W = DROP_MAX > DROP_MIN ? $clog2(DROP_MAX-DROP_MIN+1) : 1;

    wire [4:0] sum = {1'b0, above} + {2'b00, halvings};

    reg [DROP_W-1:0] early;

    // Bit k is kept where it is one of the s lowest.
    function [DROP_MAX-1:0] low_bits(input [DROP_W-1:0] more);
        integer k;
        begin
            for (k = 0; k < DROP_MAX; k = k + 1)
                low_bits[k] = k < DROP_MIN + $signed({{(32-DROP_W){1'b0}}, more});
        end
    endfunction

    always @(posedge clk) begin
        early  <= sum[DROP_W-1:0];
        drop   <= early;
        dither <= lfsr[DROP_MAX-1:0] & low_bits(early);
    end

    wire unused = &{1'b0, sum, lfsr};

    initial begin
        if (DROP_MIN < 1 || DROP_MAX < DROP_MIN || DROP_MAX > 16) begin
            $display("%m: DROP_MIN=%0d DROP_MAX=%0d: need 1 <= DROP_MIN <= DROP_MAX <= 16",
                     DROP_MIN, DROP_MAX);
            $finish;
        end
    end

endmodule

`default_nettype wire
