// SPDX-License-Identifier: MIT
// mlp_loadable_rom - mlp_rom, or where LOADABLE two banks of it: one answers, one takes new words
//
//     data = words[bank][addr]
//
// Golden model   model/artifact.py: images; model/loading.py: the bytes of the words
// Latency        1 cycle; holds while !en
//
// `load` is {turn, bank, restart, write, byte}, from mlp_load. Words come in order, each in whole
// bytes, the lowest first. They belong to this memory from its `turn`, when those before are full,
// until it is full itself, and go to the bank that does not answer. The image is in bank 0.

`default_nettype none

module mlp_loadable_rom #(
    parameter WIDTH    = 8,             // bits of a word, 1 or more
    parameter DEPTH    = 2,             // words, 1 or more
    parameter LOADABLE = 1,             // 1: two banks, 0: a ROM; 0 .. 1
    parameter FILE     = ""             // image: DEPTH words, one a line
) (
    input  wire                                        clk,
    input  wire                                        en,
    input  wire [(DEPTH > 1 ? $clog2(DEPTH) : 1)-1:0]  addr,
    output reg  [WIDTH-1:0]                            data,

    input  wire [11:0]                                 load,
    output wire                                        load_full
);

    localparam PARTS   = (WIDTH + 7) / 8;
    localparam PART_W  = PARTS > 1 ? $clog2(PARTS) : 1;
    localparam ADDR_W  = DEPTH > 1 ? $clog2(DEPTH) : 1;
    localparam INDEX_W = DEPTH > 1 ? ADDR_W + 1 : 1;    // of both banks: which one is the top bit

    wire [WIDTH-1:0] found;

    genvar k;
    generate
        if (LOADABLE != 0) begin : g_banks
            wire [7:0] value   = load[7:0];
            wire       write   = load[8];
            wire       restart = load[9];
            wire       bank    = load[10];
            wire       turn    = load[11];

            reg [WIDTH-1:0]  words [0:(1<<INDEX_W)-1];
            reg [PART_W-1:0] part;
            reg [ADDR_W-1:0] word;
            reg              full;

            wire takes     = write && turn && !full;
            wire last_part = part == PARTS[PART_W-1:0] - 1'b1;
            wire last_word = word == DEPTH[ADDR_W-1:0] - 1'b1;

            // A word of fewer than 8 bits has no place for some of a byte.
            wire unused_value = &{1'b0, value};

            wire [INDEX_W-1:0] from, to;

            if (DEPTH > 1) begin : g_words
                assign from = {bank, addr};
                assign to   = {!bank, word};
            end else begin : g_word
                wire unused = addr;

                assign from = bank;
                assign to   = !bank;
            end

            assign found     = words[from];
            assign load_full = full;

            initial begin
                if (FILE != "")
                    $readmemh(FILE, words, 0, DEPTH - 1);
            end

            always @(posedge clk) begin
                if (restart) begin
                    part <= {PART_W{1'b0}};
                    word <= {ADDR_W{1'b0}};
                    full <= 1'b0;
                end else if (takes) begin
                    part <= last_part ? {PART_W{1'b0}} : part + 1'b1;
                    word <= last_part ? word + 1'b1 : word;
                    full <= last_part && last_word;
                end
            end

            for (k = 0; k < PARTS; k = k + 1) begin : g_part
                localparam BITS = k == PARTS - 1 ? WIDTH - 8 * k : 8;

                always @(posedge clk) begin
                    if (takes && part == k[PART_W-1:0])
                        words[to][8*k +: BITS] <= value[BITS-1:0];
                end
            end
        end else begin : g_rom
            wire unused = &{1'b0, load};

            reg [WIDTH-1:0] words [0:DEPTH-1];

            assign found     = words[addr];
            assign load_full = 1'b1;

            initial begin
                if (FILE != "")
                    $readmemh(FILE, words);
            end
        end
    endgenerate

    always @(posedge clk) begin
        if (en)
            data <= found;
    end

endmodule

`default_nettype wire
