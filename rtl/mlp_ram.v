// SPDX-License-Identifier: MIT
// mlp_ram - a table with one reader and one writer
//
//     data = words[addr]; a word read while it is written is the old one
//
// Golden model   a list
// Latency        1 cycle from address to data; a write is read from the next cycle on

`default_nettype none

module mlp_ram #(
    parameter WIDTH = 8,                // bits of a word
    parameter DEPTH = 2                 // words, 1 or more
) (
    input  wire                                        clk,
    input  wire                                        write,
    input  wire [(DEPTH > 1 ? $clog2(DEPTH) : 1)-1:0]  write_addr,
    input  wire [WIDTH-1:0]                            write_data,
    input  wire [(DEPTH > 1 ? $clog2(DEPTH) : 1)-1:0]  addr,
    output reg  [WIDTH-1:0]                            data
);

    reg [WIDTH-1:0] words [0:DEPTH-1];

    always @(posedge clk) begin
        if (write)
            words[write_addr] <= write_data;
    end

    always @(posedge clk)
        data <= words[addr];

endmodule

`default_nettype wire
