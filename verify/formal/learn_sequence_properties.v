// SPDX-License-Identifier: MIT
// learn_sequence_properties - mlp_learn_sequence reads no word of masters while its write is under way
//
// A word that an update has read is written five cycles later, and holds the new master from the
// sixth on. No issue uses an operand before it is there. Samples, counts and resets are free.

`default_nettype none

module learn_sequence_properties #(
    parameter N_LAYERS                  = 2,
    parameter [32*(N_LAYERS+1)-1:0] N   = 96'h00000003_00000006_00000004,
    parameter [32*N_LAYERS-1:0]     SET = 64'h00000001_00000000,
    parameter LANES                     = 2,
    parameter LAYER_W                   = 1,
    parameter ADDR_W                    = 5,
    parameter WORDS                     = 21
) (
    input wire              clk,
    input wire              rst,
    input wire              in_valid,
    input wire              in_learn,
    input wire              answered,
    input wire [ADDR_W-1:0] x_count,
    input wire [ADDR_W-1:0] d_count
);

    wire               in_ready, out_idle, out_valid, out_backward, out_update, out_done;
    wire [LAYER_W-1:0] out_layer;
    wire [4:0]         out_place;
    wire [ADDR_W-1:0]  out_word, out_row, out_x, out_d;

    mlp_learn_sequence #(
        .N_LAYERS(N_LAYERS), .N(N), .SET(SET), .LANES(LANES), .LAYER_W(LAYER_W), .ADDR_W(ADDR_W)
    ) u_dut (
        .clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready), .in_learn(in_learn),
        .answered(answered), .x_count(x_count), .d_count(d_count), .out_idle(out_idle),
        .out_valid(out_valid), .out_backward(out_backward), .out_update(out_update),
        .out_layer(out_layer), .out_place(out_place), .out_word(out_word), .out_row(out_row),
        .out_x(out_x), .out_d(out_d), .out_done(out_done)
    );

    reg              started = 1'b0;
    reg [5:1]        moves;                 // an update was issued so many cycles ago,
    reg [ADDR_W-1:0] word_1, word_2, word_3, word_4, word_5;        // of this word
    wire             forward = !out_backward && !out_update;

    always @(posedge clk) begin
        started <= 1'b1;
        moves   <= rst ? 5'd0 : {moves[4:1], out_valid && out_update};
        {word_5, word_4, word_3, word_2, word_1} <= {word_4, word_3, word_2, word_1, out_word};
        if (!started)
            assume (rst);
        else if (out_valid) begin
            reads_no_word_under_way: assert (
                !(moves[1] && out_word == word_1) && !(moves[2] && out_word == word_2)
                && !(moves[3] && out_word == word_3) && !(moves[4] && out_word == word_4)
                && !(moves[5] && out_word == word_5));
            waits_for_its_operand: assert (
                forward ? out_layer == 0 || out_x < x_count : out_d < d_count);
            stays_in_the_memory: assert (out_word < WORDS);
            one_phase: assert (!(out_backward && out_update));
        end
    end

    wire unused = &{1'b0, in_ready, out_idle, out_place, out_row, out_done};

endmodule

`default_nettype wire
