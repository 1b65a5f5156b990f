// SPDX-License-Identifier: MIT
// mlp_learn_input - samples with their labels, two at a time: one comes while one is learned
//
//     in_user of the last beat = {learn, label}; word g of a sample = features g*LANES ..
//
// Golden model   model/learning/core.py: Core.words
// Stream         in: N features, last on the final one; out: a sample's label, its words by address
// Latency        1 cycle from the last feature to the label; 1 from an address to its word
//
// A sample whose last comes early or late is dropped whole. The label of no class is not learned.

`default_nettype none

module mlp_learn_input #(
    parameter N       = 4,              // features, 1 .. 256
    parameter CLASSES = 3,              // labels, 2 .. 64
    parameter LANES   = 2,              // features of a word, 1 or more
    parameter ADDR_W  = 2               // bits of a word's address, 2 or more; holds those of all words
) (
    input  wire               clk,
    input  wire               rst,      // synchronous, active high

    input  wire               in_valid,
    output wire               in_ready,
    input  wire               in_last,
    input  wire [7:0]         in_x,
    input  wire [8:0]         in_user,

    output wire               out_valid,
    input  wire               out_free, // the sample is not needed any more
    output wire               out_learn,
    output wire [7:0]         out_label,
    input  wire [ADDR_W-1:0]  addr,
    output wire [LANES*8-1:0] word
);

    localparam WORDS   = (N + LANES - 1) / LANES;
    localparam WORD_W  = WORDS > 4 ? $clog2(WORDS) : 2;     // at least 2, or it is no block RAM
    localparam COUNT_W = $clog2(N + 1);

    localparam [8:0] LABELS = CLASSES[8:0];

    reg [1:0]         full;
    reg               writes, reads;    // the half that is written, and the one that is read
    reg [COUNT_W-1:0] count;            // features of this sample that came; N stands for too many
    reg [WORD_W-1:0]  at;
    reg [8:0]         user [0:1];

    wire [LANES-1:0]   write;
    wire [LANES*8-1:0] packed_word;
    wire               whole;

    wire take     = in_valid && in_ready;
    wire too_many = count == N[COUNT_W-1:0];
    wire complete = count == N[COUNT_W-1:0] - 1'b1;
    wire done     = take && in_last && complete;

    assign in_ready  = !full[writes];
    assign out_valid = full[reads];
    assign out_label = user[reads][7:0];
    assign out_learn = user[reads][8] && {1'b0, out_label} < LABELS;

    mlp_learn_pack #(.LANES(LANES)) u_pack (
        .clk(clk), .rst(rst), .in_valid(take), .in_last(in_last), .in_x(in_x),
        .out_write(write), .out_word(packed_word), .out_whole(whole)
    );

    mlp_learn_ram #(.WIDTH(8), .PARTS(LANES), .DEPTH(2 << WORD_W)) u_words (
        .clk(clk), .write(write & {LANES{!too_many}}), .write_addr({writes, at}),
        .write_data(packed_word), .addr({reads, addr[WORD_W-1:0]}), .data(word)
    );

    always @(posedge clk) begin
        if (rst || (take && in_last)) begin
            count <= {COUNT_W{1'b0}};
            at    <= {WORD_W{1'b0}};
        end else if (take && !too_many) begin
            count <= count + 1'b1;
            at    <= whole ? at + 1'b1 : at;
        end
    end

    always @(posedge clk) begin
        if (rst) begin
            full   <= 2'b00;
            writes <= 1'b0;
            reads  <= 1'b0;
        end else begin
            full   <= (full | {done && writes, done && !writes})
                    & ~{out_free && reads, out_free && !reads};
            writes <= writes ^ done;
            reads  <= reads ^ out_free;
        end
    end

    always @(posedge clk) begin
        if (done)
            user[writes] <= in_user;
    end

    generate
        if (ADDR_W > WORD_W) begin : g_high
            wire unused = &{1'b0, addr[ADDR_W-1:WORD_W]};
        end
    endgenerate

    initial begin
        if (N > 256 || CLASSES < 2 || CLASSES > 64 || ADDR_W < WORD_W) begin
            $display("%m: N=%0d CLASSES=%0d LANES=%0d ADDR_W=%0d: need N in 1 .. 256, CLASSES in 2 .. 64, LANES >= 1 and ADDR_W >= %0d",
                     N, CLASSES, LANES, ADDR_W, WORD_W);
            $finish;
        end
    end

endmodule

`default_nettype wire
