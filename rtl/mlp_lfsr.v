// SPDX-License-Identifier: MIT
// mlp_lfsr - 16 random bits: a Galois shift register of period 65535
//
//     state' = (state >> 1) ^ (state[0] ? 16'hB400 : 0)        x^16 + x^14 + x^13 + x^11 + 1
//
// Golden model   model/learning/backprop.py: Lfsr
// Latency        1 cycle; holds while !en
//
// A seed of 0, from which nothing would ever come, counts as 1.

`default_nettype none

module mlp_lfsr (
    input  wire        clk,
    input  wire        load,            // before en
    input  wire [15:0] seed,
    input  wire        en,
    output reg  [15:0] state
);

    always @(posedge clk) begin
        if (load)
            state <= seed == 16'd0 ? 16'd1 : seed;
        else if (en)
            state <= (state >> 1) ^ (state[0] ? 16'hB400 : 16'h0000);
    end

endmodule

`default_nettype wire
