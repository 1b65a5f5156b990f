// SPDX-License-Identifier: MIT
// mlp_rom - read-only table, filled from a hexadecimal image
//
//     data = words[addr]
//
// Golden model   model/artifact.py: images
// Latency        1 cycle; holds while !en
//
// Without a FILE the contents are undefined: enough to lint and to size, not to compute.

`default_nettype none

module mlp_rom #(
    parameter WIDTH = 8,                // bits of a word
    parameter DEPTH = 2,                // words
    parameter FILE  = ""                // image: DEPTH words, one a line
) (
    input  wire                                        clk,
    input  wire                                        en,
    input  wire [(DEPTH > 1 ? $clog2(DEPTH) : 1)-1:0]  addr,
    output reg  [WIDTH-1:0]                            data
);

    reg [WIDTH-1:0] words [0:DEPTH-1];

    initial begin
        if (FILE != "")
            $readmemh(FILE, words);
    end

    always @(posedge clk) begin
        if (en)
            data <= words[addr];
    end

endmodule

`default_nettype wire
