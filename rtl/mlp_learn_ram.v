// SPDX-License-Identifier: MIT
// mlp_learn_ram - a table with one reader and one writer, written part by part
//
//     data = words[addr]; while a word is written it is not read: data stays
//
// Golden model   a list
// Latency        1 cycle from address to data; a write is read from the next cycle on
//
// Nobody needs a word that is being written. Without a promise of what is read then, a block RAM
// needs no logic around it.

`default_nettype none

module mlp_learn_ram #(
    parameter WIDTH = 8,                // bits of a part
    parameter PARTS = 1,                // parts of a word, 1 or more
    parameter DEPTH = 2                 // words, 1 or more
) (
    input  wire                                        clk,
    input  wire [PARTS-1:0]                            write,       // these parts
    input  wire [(DEPTH > 1 ? $clog2(DEPTH) : 1)-1:0]  write_addr,
    input  wire [PARTS*WIDTH-1:0]                      write_data,
    input  wire [(DEPTH > 1 ? $clog2(DEPTH) : 1)-1:0]  addr,
    output reg  [PARTS*WIDTH-1:0]                      data
);

    reg [PARTS*WIDTH-1:0] words [0:DEPTH-1];

    wire meets = write != {PARTS{1'b0}} && write_addr == addr;

    genvar k;
    generate
        for (k = 0; k < PARTS; k = k + 1) begin : g_part
            always @(posedge clk) begin
                if (write[k])
                    words[write_addr][k*WIDTH +: WIDTH] <= write_data[k*WIDTH +: WIDTH];
            end
        end
    endgenerate

    always @(posedge clk) begin
        if (!meets)
            data <= words[addr];
    end

endmodule

`default_nettype wire
