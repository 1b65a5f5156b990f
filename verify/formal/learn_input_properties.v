// SPDX-License-Identifier: MIT
// learn_input_properties - mlp_learn_input keeps the contract of streams: samples of the right length
//
// A sample of another length has no result. Its user frees a sample when it likes.

`default_nettype none

module learn_input_properties #(
    parameter N        = 3,
    parameter CLASSES  = 3,
    parameter LANES    = 2,
    parameter ADDR_W   = 2,
    parameter CAPACITY = 2,
    parameter PATIENCE = 2
) (
    input wire       clk,
    input wire       rst,
    input wire       in_valid,
    input wire       in_last,
    input wire [7:0] in_x,
    input wire [8:0] in_user,
    input wire       frees
);

    wire                in_ready, out_valid, out_learn;
    wire [7:0]          out_label;
    wire [LANES*8-1:0]  word;

    (* anyconst *) wire [ADDR_W-1:0] addr;  // one word of each sample is looked at

    mlp_learn_input #(.N(N), .CLASSES(CLASSES), .LANES(LANES), .ADDR_W(ADDR_W)) u_dut (
        .clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready), .in_last(in_last),
        .in_x(in_x), .in_user(in_user), .out_valid(out_valid), .out_free(frees && out_valid),
        .out_learn(out_learn), .out_label(out_label), .addr(addr), .word(word)
    );

    localparam WORDS = (N + LANES - 1) / LANES;

    reg [7:0]          taken;               // features of this sample, N for too many
    reg [N*8-1:0]      so_far;              // the newest on top

    wire               take   = in_valid && in_ready;
    wire [N*8-1:0]     sample = {in_x, so_far} >> 8;
    wire [WORDS*LANES*8-1:0] whole = sample;

    // The word that the solver has chosen, of the sample that is read and of the one behind it.
    wire [LANES*8-1:0] last_word = whole >> (addr * LANES * 8);
    reg  [LANES*8-1:0] first, second;
    reg                there = 1'b0;        // the word of this cycle is of the sample that is read
    wire good = take && in_last && taken == N - 1;
    wire free = frees && out_valid;
    reg  [1:0] owed;

    always @(posedge clk) begin
        assume (addr < WORDS);
        if (rst)
            taken <= 0;
        else if (take)
            taken <= in_last ? 0 : taken == N ? taken : taken + 1'b1;
        if (take)
            so_far <= sample;
        owed  <= rst ? 2'd0 : owed + good - free;
        there <= !rst && out_valid && !free;
        if (good && owed - free == 0)
            first <= last_word;
        else if (free)
            first <= second;
        if (good)
            second <= last_word;
        if (there)
            word_is_the_samples: assert (word == first);
    end

    wire learns = in_user[8] && in_user[7:0] < CLASSES;

    stream_contract #(.W(9), .CAPACITY(CAPACITY), .PATIENCE(PATIENCE)) u_contract (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready),
        .in_first(taken == 0), .in_last(in_last), .in_good(taken == N - 1),
        .promised({learns, in_user[7:0]}),
        .out_valid(out_valid), .out_ready(frees), .out_payload({out_learn, out_label})
    );

endmodule

`default_nettype wire
